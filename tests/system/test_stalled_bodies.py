"""Clients that stop sending in the middle of a body hold no more than their share of threads."""

import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

from tests.stack import LiveStack, until

HALF_A_REQUEST = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 500\r\n\r\n{"
)
GOOD = {"model": "iris", "features": [5.1, 3.5, 1.4, 0.2]}


def test_the_api_answers_while_clients_stall_and_recovers_when_they_go(stack: LiveStack) -> None:
    address = urlsplit(stack.url)
    with ExitStack() as stalled:
        for _ in range(40):
            connection = socket.create_connection((address.hostname, address.port))
            stalled.enter_context(connection)
            connection.sendall(HALF_A_REQUEST)
        refused = until(lambda: _refused(stack), "a submission is refused while they stall")
        assert refused["code"] == "busy"
        assert refused["retryable"] is True
        assert stack.http.get("/health", timeout=5).status_code == 200
    answer = until(lambda: _succeeded(stack), "submissions are taken again")
    assert answer["predictions"] == [0]


def _refused(stack: LiveStack) -> dict | None:
    answer = stack.http.post("/predict", json=GOOD)
    return answer.json() if answer.status_code == 503 else None


def _succeeded(stack: LiveStack) -> dict | None:
    answer = stack.http.post("/predict", json=GOOD)
    return answer.json() if answer.status_code == 200 else None
