"""A fork server survives a version that it cannot find, and a lack of memory for processes."""

import errno
import gc
import os
import socket
import weakref
from pathlib import Path

import pytest

from registry.store import Registry
from tasks.settings import Settings
from tests.support.models import described
from workers.pool.fork_server import ForkServer
from workers.protocol import (
    Loaded,
    LoadVersion,
    Unloaded,
    UnloadVersion,
    datagram,
    parse_frame,
)


def test_unreadable_registry_does_not_end_the_fork_server(tmp_path: Path) -> None:
    Registry(tmp_path).add("m", described(b"m"), b"m")
    generation = tmp_path / "models" / ".generation"
    generation.unlink()
    generation.symlink_to(generation.name)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        server = ForkServer(theirs, frozenset(), Settings(home=tmp_path, redis_url=""))
        server._obey(parse_frame(datagram(LoadVersion("m:1"))), [])
        told = parse_frame(ours.recv(2**16))
    assert isinstance(told, Loaded)
    assert told.error
    assert "cannot read the registry" in told.error


def refused() -> int:
    raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))


def test_fork_server_survives_a_fork_that_fails_and_closes_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.pool.fork_server.FORK_PAUSE", 0.0)
    monkeypatch.setattr(os, "fork", refused)
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    worker, connection = socket.socketpair()
    with control, theirs, worker:
        ForkServer(theirs, frozenset(), Settings(home=tmp_path, redis_url=""))._fork(connection)
        assert worker.recv(1) == b""
    gc.unfreeze()


class InACycle:
    """A model that refers to itself."""

    def __init__(self) -> None:
        self.itself = self


def test_fork_server_frees_what_it_forgets_although_a_fork_has_frozen_it(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        server = ForkServer(theirs, frozenset(), Settings(home=tmp_path, redis_url=""))
        held = {"m:1": InACycle()}
        gone = weakref.ref(held["m:1"])
        server._engine.drop = lambda reference: held.pop(reference, None) is not None
        gc.freeze()  # as each fork does
        for was_held in (True, False):
            server._obey(parse_frame(datagram(UnloadVersion("m:1"))), [])
            assert parse_frame(ours.recv(2**16)) == Unloaded("m:1", was_held)
        assert gone() is None
