"""What a worker's processes say to each other: frames of msgpack over a pair of sockets."""

import socket
import struct
from typing import Any, Literal

import msgspec

from tasks.record import State

_length = struct.Struct("!Q")
_encoder = msgspec.msgpack.Encoder()

Instruction = Literal["compute", "cancel", "time out", "give up"]
Disposition = Literal[State, "dropped", "suspect"]


class Item(msgspec.Struct, array_like=True, frozen=True):
    """One message of a batch."""

    tag: str
    id: str
    content_type: str
    body: bytes
    expires: float | None
    """Unix seconds from which on nobody wants the answer."""
    order: Instruction
    limit: float
    """Seconds that computing it may take; the smallest in a batch ends the process."""


class Microbatch(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Worker to process: settle these, together."""

    items: list[Item]


class Step(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Worker to process: do this step of a job."""

    item: Item


class Ready(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Process to worker, once: here I am, and this is what I was born with."""

    pid: int
    held: list[str]
    """Versions, as model:version."""


class Fate(msgspec.Struct, array_like=True, frozen=True):
    """What became of an item."""

    verdict: Disposition
    error: str = ""
    """Its code and message, if it failed or is tried again."""
    traceback: str = ""
    """Where that was raised, if it is worth telling."""


class Done(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Process to worker: what became of each item."""

    fates: list[Fate]
    seconds: float


class Fork(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Worker to fork server: make a process that serves the socket which comes along."""


class Load(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Worker to fork server: hold this version, so that new processes are born with it."""

    reference: str


class Loading(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Fork server to worker: should this be my last word, this version is to blame."""

    reference: str | None


class Loaded(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Fork server to worker: it is held now, unless there is an error."""

    reference: str
    error: str | None


class Ended(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Fork server to worker: a process is gone."""

    pid: int
    status: int
    """As `os.waitstatus_to_exitcode` gives it: negative is a signal."""


_decoder = msgspec.msgpack.Decoder(
    Microbatch | Step | Ready | Done | Fork | Load | Loading | Loaded | Ended
)


def send(connection: socket.socket, frame: msgspec.Struct) -> None:
    """Send one frame; raises `OSError` where nobody takes it."""
    connection.sendall(framed(frame))


def framed(frame: msgspec.Struct) -> bytes:
    """One frame as it goes over the connection."""
    content = _encoder.encode(frame)
    return _length.pack(len(content)) + content


def datagram(frame: msgspec.Struct) -> bytes:
    """One frame for a socket that keeps frames apart by itself."""
    return _encoder.encode(frame)


def parse(content: bytes) -> Any:
    """The frame of a datagram."""
    return _decoder.decode(content)


def receive(connection: socket.socket) -> Any:
    """The next frame, or None once the other side is gone."""
    head = _exactly(connection, _length.size)
    if head is None:
        return None
    content = _exactly(connection, *_length.unpack(head))
    return None if content is None else _decoder.decode(content)


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    content = bytearray()
    while len(content) < size:
        try:
            part = connection.recv(min(size - len(content), 2**20))
        except ConnectionError:
            return None
        if not part:
            return None
        content += part
    return bytes(content)
