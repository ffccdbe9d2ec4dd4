"""Frames between a worker and its processes arrive whole, or not at all."""

import socket
import struct
from collections.abc import Iterator
from threading import Thread

import msgspec
import pytest

from workers.protocol import (
    Disposition,
    Done,
    Ended,
    Fork,
    Instruction,
    Item,
    LoadCost,
    Loaded,
    LoadVersion,
    Microbatch,
    Ready,
    datagram,
    parse_frame,
    receive,
    send_frame,
)

ITEM = Item("predict:1", "a", "application/json", b"\x00\xff", 1.5, Instruction.COMPUTE, 300)
FRAMES = [
    Microbatch([ITEM, Item("predict:2", "b", "text/plain", b"", None, Instruction.TIME_OUT, 0.25)]),
    Microbatch([]),
    Ready(4711, {"iris:1": LoadCost(100, 0.5)}),
    Done(
        [Disposition("succeeded"), Disposition("failed", "model_error: ä\u2028", "Traceback …")],
        0.25,
    ),
]
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_frame_that_is_sent_is_received(pair: Pair, frame: msgspec.Struct) -> None:
    send_frame(pair[0], frame)
    assert receive(pair[1]) == frame


def test_frames_that_arrive_together_are_separated(pair: Pair) -> None:
    for frame in FRAMES:
        send_frame(pair[0], frame)
    assert [receive(pair[1]) for _ in FRAMES] == FRAMES


def test_frame_larger_than_any_buffer_arrives_whole(pair: Pair) -> None:
    large = Microbatch([msgspec.structs.replace(ITEM, body=bytes(range(256)) * 2**16)])
    sender = Thread(target=send_frame, args=(pair[0], large))
    sender.start()
    assert receive(pair[1]) == large
    sender.join()


@pytest.mark.parametrize(
    "left", [b"", b"\x00\x00", struct.pack("!Q", 100) + b"half"], ids=["nothing", "head", "half"]
)
def test_frame_of_a_closed_peer_is_none(pair: Pair, left: bytes) -> None:
    pair[0].sendall(left)
    pair[0].close()
    assert receive(pair[1]) is None


def test_frame_to_a_closed_peer_is_an_error(pair: Pair) -> None:
    pair[1].close()
    with pytest.raises(OSError, match="Broken pipe"):
        send_frame(pair[0], FRAMES[0])


@pytest.mark.parametrize(
    "frame",
    [Fork(), LoadVersion("iris:1"), Loaded("iris:1", None), Loaded("x", "no"), Ended(1, -9)],
)
def test_datagrams_carry_one_frame_each(frame: msgspec.Struct) -> None:
    assert parse_frame(datagram(frame)) == frame
