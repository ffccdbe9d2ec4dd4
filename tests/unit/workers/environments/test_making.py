"""Environments of locks: made once and whole, whatever ended an earlier try."""

import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from registry.manifest import Environment
from telemetry.errors import ModelUnloadable
from tests.support.models import described
from tests.unit.workers.environments.tiny_wheels import hashed, locked, tiny_wheel
from workers.environments import environment, making, uv
from workers.environments.environment import environments_of, found_at
from workers.environments.making import provided


def said(python: Path, code: str) -> str:
    return subprocess.run(
        [python, "-P", "-c", code], check=True, capture_output=True, text=True, cwd="/"
    ).stdout.strip()


def test_making_installs_a_lock_once_and_links_our_packages(tmp_path):
    wheel = tiny_wheel(tmp_path / "wheels", "3.0")
    made = provided(tmp_path, locked(wheel.parent, hashed(wheel)))
    wheel.unlink()
    assert provided(tmp_path, made.lock) == made
    code = "import sys, tinyscale, registry; print(tinyscale.FACTOR, registry.__path__[0])"
    ours = Path(making.__file__).parents[2] / "registry"
    factor, linked = said(made.python, code).split()
    assert (factor, Path(linked).resolve()) == ("3", ours)
    assert made.mark.size >= len("FACTOR = 3\n")
    assert made.described(("tinyscale",)).lock == made.directory.name


def test_making_begins_anew_where_an_earlier_try_was_killed(tmp_path):
    wheel = tiny_wheel(tmp_path / "wheels", "3.0")
    content = locked(wheel.parent, hashed(wheel))
    made = provided(tmp_path, content)
    (made.directory / environment.MARK_FILE).unlink()  # it is written last
    left = made.directory.with_name(made.directory.name + "-killed")
    left.mkdir()
    (left / "bin").mkdir()
    assert found_at(made.directory) is None
    again = provided(tmp_path, content)
    assert said(again.python, "import tinyscale; print(tinyscale.FACTOR)") == "3"
    assert not left.exists()


def test_making_is_refused_with_the_reason_if_a_hash_differs(tmp_path):
    wheel = tiny_wheel(tmp_path / "wheels", "3.0")
    content = locked(wheel.parent, f"tinyscale==3.0 --hash=sha256:{'0' * 64}")
    with pytest.raises(ModelUnloadable, match=r"(?is)installing its packages failed.*hash"):
        provided(tmp_path, content)
    assert not any(path.is_dir() for path in environments_of(tmp_path).iterdir())


def test_making_reaches_the_disk_before_an_environment_is_called_whole(tmp_path, monkeypatch):
    marks = []
    monkeypatch.setattr("os.sync", lambda: marks.append([*tmp_path.rglob(environment.MARK_FILE)]))
    wheel = tiny_wheel(tmp_path / "wheels", "3.0")
    provided(tmp_path, locked(wheel.parent, hashed(wheel)))
    assert marks == [[]]


def test_making_is_refused_for_another_python(tmp_path):
    with pytest.raises(ModelUnloadable, match=r"locked for Python 3\.9"):
        provided(tmp_path, b"# Python 3.9, linux-x86_64\n")


def test_uv_is_ended_after_its_time(tmp_path, monkeypatch):
    monkeypatch.setattr(uv, "MAX_SECONDS", 0.1)
    monkeypatch.setattr(uv, "_uv", lambda: "/bin/sh")
    with pytest.raises(ModelUnloadable, match="took more than"):
        uv.run_uv(["-c", "sleep 60"], "sleeping")


def test_uv_prints_no_more_than_its_bound(monkeypatch):
    monkeypatch.setattr(uv, "_uv", lambda: "/bin/sh")
    with pytest.raises(ModelUnloadable) as raised:
        uv.run_uv(["-c", "yes why | head -c 200000; exit 2"], "asking")
    assert raised.value.message.startswith("asking failed: why")
    assert len(raised.value.message) < uv.MAX_SHOWN + 100


def test_environments_of_others_are_refused_with_their_failure(tmp_path):
    wanted = Environment("a" * 64, ("tinyscale",), "3.11.7", 1)
    from registry.versions import new_manifest

    manifest = new_manifest("m", 1, replace(described(b"x"), environment=wanted))
    with pytest.raises(ModelUnloadable, match="m:1 needs its environment: this process"):
        environment.check_environment(manifest, tmp_path)
    environment.note_failure(tmp_path, wanted.lock, "no index")
    with pytest.raises(ModelUnloadable, match="needs its environment: no index"):
        environment.check_environment(manifest, tmp_path)
    environment.check_environment(replace(manifest, environment=None), tmp_path)
