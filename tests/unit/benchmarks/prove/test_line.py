"""Callers of the proof survive outages: a lost connection is reported as a response."""

import socket
import time
from collections.abc import Iterator

import pytest

from benchmarks.harness.processes import free_port
from benchmarks.harness.wire import Response, get
from benchmarks.prove.faults.line import NO_RESPONSE, Line
from tests.support.stack import until

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def line(server: socket.socket) -> Iterator[Line]:
    line = Line(server.getsockname()[1], 1)
    yield line
    line.close()


def has_answers(line: Line, answers: list[Response], count: int) -> bool:
    line.turn(0.01)
    return len(answers) >= count


def test_absent_server_answers_nothing() -> None:
    answers: list[Response] = []
    line = Line(free_port(), 1)
    line.send(get("/"), answers.append)
    assert answers == [NO_RESPONSE]
    line.close()


def test_dead_server_answers_nothing_and_the_line_moves_on(
    server: socket.socket, line: Line
) -> None:
    answers: list[Response] = []
    for _ in range(2):
        line.send(get("/"), answers.append)
    server.accept()[0].close()
    until(lambda: has_answers(line, answers, 1), "the first")
    connection, _ = server.accept()
    with connection:
        connection.sendall(ANSWER)
        until(lambda: has_answers(line, answers, 2), "the second")
    assert answers == [NO_RESPONSE, Response(200, b"{}")]
    assert not line.busy


def test_silent_server_is_given_up(
    server: socket.socket, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.prove.faults.line.GIVE_UP", 0.1)
    answers: list[Response] = []
    started = time.monotonic()
    line.send(get("/"), answers.append)
    until(lambda: has_answers(line, answers, 1), "nobody")
    assert answers == [NO_RESPONSE]
    assert time.monotonic() - started >= 0.1


def test_chunked_answer_is_read_once_it_is_complete(server: socket.socket, line: Line) -> None:
    answers: list[Response] = []
    line.send(get("/"), answers.append)
    connection, _ = server.accept()
    with connection:
        head = b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n"
        for piece in (head + b"3\r\n{}\n\r\n", b'a\r\n{"a":\r\n', b" 1}\r\n0\r\n"):
            connection.sendall(piece)
            line.turn(0.01)
            assert answers == []
        connection.sendall(b"\r\n")
        until(lambda: has_answers(line, answers, 1), "the answer")
    assert answers == [Response(202, b'{}\n{"a":\r\n 1}')]
