"""A fork server survives a request for a version that it cannot find."""

import socket
from pathlib import Path

from registry.store import Registry
from tasks.settings import Settings
from tests.support.models import described
from workers.pool.fork_server import ForkServer
from workers.protocol import Loaded, LoadVersion, datagram, parse_frame


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
