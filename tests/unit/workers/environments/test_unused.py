"""Unused environments: removed whole, unless a version has one or is about to get it."""

import hashlib
import os
import sys

import pytest
from msgspec.structs import replace

from registry.changes import Changes
from registry.manifest import Environment
from registry.store import Registry
from tests.support.models import described
from tests.unit.workers.environments.tiny_wheels import hashed, locked, tiny_wheel
from workers.environments import entering
from workers.environments.environment import directory_of, environments_of
from workers.environments.lease import free_of_leases, lease
from workers.environments.unused import remove_unused


def registered(home, name, lock):
    content, sha256 = name.encode(), hashlib.sha256(lock).hexdigest()
    environment = Environment(sha256, ("tinyscale",), "3.11.7", 1)
    description = replace(described(content), environment=environment)
    return Registry(home).add(name, description, content, lock=lock)


def test_unused_environments_are_removed_and_others_stay(tmp_path):
    kept, gone = registered(tmp_path, "kept", b"1"), registered(tmp_path, "gone", b"2")
    for manifest in (kept, gone):
        (environments_of(tmp_path) / manifest.environment.lock).mkdir(parents=True)
    assert remove_unused(tmp_path) == []
    Changes(Registry(tmp_path)).remove("gone")
    removed = environments_of(tmp_path) / gone.environment.lock
    assert remove_unused(tmp_path) == [removed]
    assert not removed.exists()
    assert (environments_of(tmp_path) / kept.environment.lock).exists()


def test_unused_environments_stay_while_they_have_a_lease(tmp_path):
    directory = directory_of(tmp_path, b"1")
    descriptor = lease(directory)
    directory.mkdir()
    assert remove_unused(tmp_path) == []
    os.close(descriptor)
    assert remove_unused(tmp_path) == [directory]


def test_unused_environments_stay_if_their_version_is_registered_at_the_last_moment(
    tmp_path, monkeypatch
):
    directory = directory_of(tmp_path, b"1")
    directory.mkdir(parents=True)

    def registering(path):
        registered(tmp_path, "late", b"1")
        return free_of_leases(path)

    monkeypatch.setattr("workers.environments.unused.free_of_leases", registering)
    assert remove_unused(tmp_path) == []
    assert directory.is_dir()


def test_unused_environments_are_absent_after_a_removal_that_was_killed(tmp_path, monkeypatch):
    directory = directory_of(tmp_path, b"1")
    directory.mkdir(parents=True)

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        remove_unused(tmp_path)
    assert not directory.exists()


def test_commands_keep_a_lease_of_the_environment_that_they_enter(tmp_path, monkeypatch):
    """The interpreter that replaces the process inherits it."""

    class ReplacedError(Exception):
        pass

    def replaced(*_):
        raise ReplacedError

    wheel = tiny_wheel(tmp_path / "wheels", "3.0")
    lock = locked(wheel.parent, hashed(wheel))
    monkeypatch.setattr(entering, "resolved", lambda _: lock)
    monkeypatch.setattr(sys, "argv", ["predictq"])
    monkeypatch.setattr(os, "execv", replaced)
    with pytest.raises(ReplacedError):
        entering.enter_for(("tinyscale",), tmp_path, lambda _: None)
    assert directory_of(tmp_path, lock).is_dir()
    assert remove_unused(tmp_path) == []
    opened = {
        os.path.realpath(f"/proc/self/fd/{each}"): each for each in os.listdir("/proc/self/fd")
    }
    held = int(opened[f"{directory_of(tmp_path, lock)}.lease"])
    assert os.get_inheritable(held)
    os.close(held)
