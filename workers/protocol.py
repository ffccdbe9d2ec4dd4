"""The protocol between worker, fork server and pool processes: msgpack frames over sockets."""

import enum
import socket
import struct
from typing import Any, Literal

import msgspec

from tasks.record import State
from telemetry.tracing.span import TraceSpan

_length = struct.Struct("!Q")
_encoder = msgspec.msgpack.Encoder()

DispositionKind = Literal[State, "dropped", "suspect"]
"""A state of the record, or: the message was already settled, or has to run alone."""


class Instruction(enum.Enum):
    """The treatment of an item by its process; all but `COMPUTE` only settle it."""

    COMPUTE = "compute"
    CANCEL = "cancel"
    TIME_OUT = "time out"
    """Fail it with `TimedOut`: its last computation exceeded its limit."""
    GIVE_UP_LOADING = "give up loading"
    """Fail it with `ModelUnloadable`: loading its version took longer than `MAX_RUN_SECONDS`."""


class Item(msgspec.Struct, array_like=True, frozen=True):
    """One message of a microbatch, or one step of a job."""

    tag: str
    id: str
    content_type: str
    body: bytes
    expires: float | None
    """Unix seconds after which the caller no longer wants the answer; None for no deadline."""
    instruction: Instruction
    limit: float
    """Seconds that computing it may take. The smallest in a microbatch ends the process."""
    is_started: bool = False
    """Whether its first attempt has started already. Such an item is a microbatch of its own."""
    traceparent: str = ""
    """Of the span that sent it, if that is sampled and the worker exports spans."""


class Microbatch(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Worker to process: compute and settle these items together."""

    items: list[Item]


class Step(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Worker to process: perform this step of a job."""

    item: Item


class LoadCost(msgspec.Struct, array_like=True, frozen=True):
    """The cost of loading a version."""

    memory_bytes: int
    """Bytes by which the process grew, or of the artifact, whichever are more."""
    seconds: float


class Ready(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Process to worker, sent once: the process can compute, with the versions that it holds."""

    pid: int
    held: dict[str, LoadCost]
    """Versions, as model:version."""


class Disposition(msgspec.Struct, array_like=True, frozen=True):
    """Disposition: what became of an item, for Celery's events and for the batcher."""

    kind: DispositionKind
    error: str = ""
    """Code and message of the error if the item failed or is retried."""
    traceback: str = ""
    """End of the error's traceback, if it helps."""


class Done(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Process to worker: a microbatch or step has ended."""

    dispositions: list[Disposition]
    """One per item, in order."""
    seconds: float
    """Run time."""
    is_last: bool = False
    """Whether the process ends now, because models left too much behind in it."""
    spans: list[TraceSpan] = []
    """What the worker is to export."""


class Fork(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Worker to fork server: fork a process that serves the socket sent with this frame."""


class LoadVersion(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Worker to fork server: load this version, so that processes forked from now on hold it."""

    reference: str


class UnloadVersion(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Worker to fork server: forget this version, so that processes forked from now on lack it."""

    reference: str


class Loading(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Fork server to worker: it begins to load this version, or has ended loading (None).

    If the fork server dies after this frame, loading that version is to blame.
    """

    reference: str | None


class Loaded(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Fork server to worker: the answer to `LoadVersion`; without an error, the version is held."""

    reference: str
    error: str | None


class Unloaded(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Fork server to worker: the answer to `UnloadVersion`."""

    reference: str
    was_held: bool


class Ended(msgspec.Struct, array_like=True, tag=True, frozen=True):
    """Fork server to worker: a pool process has ended."""

    pid: int
    status: int
    """Exit code; a negative one is the number of a signal."""


FromForkServer = Loading | Loaded | Unloaded | Ended
"""The frames of a fork server to its worker."""
_decoder = msgspec.msgpack.Decoder(
    Microbatch | Step | Ready | Done | Fork | LoadVersion | UnloadVersion | FromForkServer
)


def send_frame(connection: socket.socket, frame: msgspec.Struct) -> None:
    """Send one frame; raises `OSError` if the other side is gone or does not read."""
    connection.sendall(framed(frame))


def framed(frame: msgspec.Struct) -> bytes:
    """Encode a frame for a stream socket: its length in 8 bytes, then msgpack."""
    content = _encoder.encode(frame)
    return _length.pack(len(content)) + content


def datagram(frame: msgspec.Struct) -> bytes:
    """Encode a frame for a socket that preserves message boundaries."""
    return _encoder.encode(frame)


def parse_frame(content: bytes) -> Any:
    """Decode the frame of a datagram."""
    return _decoder.decode(content)


def receive(connection: socket.socket) -> Any:
    """Receive the next frame; None once the other side is gone."""
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
