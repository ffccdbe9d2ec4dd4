"""A fork server that is asked for what it cannot find lives on: it holds models that are served."""

import socket
from pathlib import Path

from registry.store import Registry
from tasks.settings import Settings
from tests.support.models import described
from workers.pool.fork_server import ForkServer
from workers.pool.protocol import Load, Loaded, datagram, parse


def test_a_registry_that_cannot_be_read_ends_nobody(tmp_path: Path) -> None:
    Registry(tmp_path).add("m", described(b"m"), b"m")
    generation = tmp_path / "models" / ".generation"
    generation.unlink()
    generation.symlink_to(generation.name)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        server = ForkServer(theirs, frozenset(), Settings(home=tmp_path, redis_url=""))
        server._obey(parse(datagram(Load("m:1"))), [])
        told = parse(ours.recv(2**16))
    assert isinstance(told, Loaded)
    assert told.error
    assert "cannot read the registry" in told.error
