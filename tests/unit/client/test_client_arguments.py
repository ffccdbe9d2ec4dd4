"""A wrong argument is an `InvalidRequest` that names it, and nothing is sent."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from predictq import Client, InvalidRequest, PredictqError
from tests.unit.fake_server import Answer, job, pending, succeeded

ROW = [5.1, 3.5, 1.4, 0.2]
HALF = "half \ud800"


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("model", lambda client: client.predict(None, ROW)),
        ("model", lambda client: client.submit(HALF, ROW)),
        ("model", lambda client: client.jobs.submit(5, [ROW])),
        ("model", lambda client: client.jobs.validate(None, "/in.csv")),
        ("method", lambda client: client.predict("iris", ROW, method=None)),
        ("method", lambda client: client.submit("iris", ROW, method=["predict"])),
        ("timeout", lambda client: client.predict("iris", ROW, timeout="1")),
        ("timeout", lambda client: client.predict("iris", ROW, timeout=-1)),
        ("timeout", lambda client: client.predict("iris", ROW, timeout=math.nan)),
        ("timeout", lambda client: client.predict("iris", ROW, timeout=True)),
        ("timeout", lambda client: client.jobs.wait("j1", timeout="1")),
        ("timeout", lambda client: Client(timeout=-0.1)),
        ("timeout", lambda client: Client(timeout="30")),
        ("timeout", lambda client: Client(timeout=10**400)),
        ("timeout", lambda client: Client(timeout=math.nan)),
        ("wait", lambda client: client.result("p1", wait="1")),
        ("wait", lambda client: client.result("p1", wait=-1)),
        ("max_queue_seconds", lambda client: client.submit("m", ROW, max_queue_seconds="1")),
        ("timeout_seconds", lambda client: client.submit("m", ROW, timeout_seconds=math.nan)),
        ("timeout_seconds", lambda client: client.submit("m", ROW, timeout_seconds=Decimal(1))),
        ("idempotency_key", lambda client: client.submit("m", ROW, idempotency_key="ü")),
        ("idempotency_key", lambda client: client.submit("m", ROW, idempotency_key="a\nb")),
        ("idempotency_key", lambda client: client.submit("m", ROW, idempotency_key="")),
        ("idempotency_key", lambda client: client.submit("m", ROW, idempotency_key=b"k")),
        ("id", lambda client: client.result(None)),
        ("id", lambda client: client.result("")),
        ("id", lambda client: client.result("..")),
        ("id", lambda client: client.result(HALF)),
        ("id", lambda client: client.cancel(7)),
        ("id", lambda client: client.jobs.get(None)),
        ("id", lambda client: list(client.jobs.follow(b"j1"))),
        ("id", lambda client: client.jobs.wait(["j1"])),
        ("id", lambda client: client.jobs.cancel(".")),
        ("id", lambda client: client.jobs.resume(None)),
        ("id", lambda client: client.jobs.download(None, "out.csv")),
        ("id", lambda client: list(client.jobs.errors(1.5))),
        ("name", lambda client: client.model(None)),
        ("limit", lambda client: client.jobs.list("many")),
        ("limit", lambda client: client.jobs.list(1.5)),
        ("after", lambda client: client.jobs.list(after=7)),
        ("upload", lambda client: client.jobs.submit("iris", "/in.csv", upload="yes")),
        ("methods", lambda client: client.jobs.submit("m", "/in.csv", methods=np.array(3))),
        ("status", lambda client: client.jobs.list(status=HALF)),
        ("target", lambda client: client.jobs.download("j1", None)),
        ("target", lambda client: client.jobs.download("j1", "a\0b")),
        ("target", lambda client: client.jobs.download("j1", b"out.csv")),
        ("target", lambda client: client.jobs.download("j1", "~nobody-of-this-name/out.csv")),
        ("rows", lambda client: client.jobs.submit("iris", "a\0b", upload=True)),
        ("rows", lambda client: client.jobs.submit("iris", HALF)),
        ("rows", lambda client: client.jobs.submit("iris", "~nobody-of-this-name/in.csv")),
        ("output", lambda client: client.jobs.submit("iris", "/in.csv", output=5)),
        ("methods", lambda client: client.jobs.submit("iris", "/in.csv", methods=5)),
        ("methods", lambda client: client.jobs.submit("iris", "/in.csv", methods=[None])),
        ("id_column", lambda client: client.jobs.submit("iris", [ROW], id_column=object())),
        ("input_format", lambda client: client.jobs.submit("iris", "/in.csv", input_format=1)),
        ("error_threshold", lambda client: client.jobs.submit("m", "/a", error_threshold="1")),
        ("includes", lambda client: client.jobs.submit("m", "/a", includes=True)),
        ("include_input", lambda client: client.jobs.submit("m", [ROW], include_input="yes")),
        ("include_input", lambda client: client.jobs.submit("m", "/a", include_input=1j)),
        ("url", lambda client: Client(5)),
        ("url", lambda client: Client(np.array([1, 2]))),
        ("url", lambda client: Client("http://[::1")),
        ("url", lambda client: Client(HALF)),
        ("url", lambda client: Client("http://host:99999")),
        ("url", lambda client: Client("http://a\0b")),
    ],
)
def test_invalid_argument_is_named(server, client, argument, call):
    with pytest.raises(InvalidRequest) as told:
        call(client)
    assert told.value.errors[0].loc == (argument,)
    assert argument in str(told.value) or argument == "url"
    assert server.asked == []


def test_timeouts_may_be_numbers_of_any_type(server, client):
    server.behave = lambda _: succeeded([1])
    for timeout in (1, 0.5, np.float32(0.5), np.int64(3), Fraction(1, 2), 0, math.inf, 1e300):
        client.predict("iris", ROW, timeout=timeout, timeout_seconds=np.float32(0.5))
    assert server.asked[0].body["timeout_seconds"] == 0.5


def test_client_may_wait_without_end(server, clock):
    server.script(pending(), succeeded([1]))
    with Client(server.url, timeout=math.inf, clock=clock) as client:
        assert client.predict("iris", ROW).predictions == [1]
    assert server.asked[0].headers["Prefer"] == "wait=30"


def test_thresholds_may_be_numpy_numbers(server, client, tmp_path):
    (tmp_path / "in.csv").write_text("a\n")
    server.behave = lambda _: Answer(202, job())
    for upload in (False, True):
        client.jobs.submit(
            "iris", tmp_path / "in.csv", upload=upload, error_threshold=np.float32(0.5)
        )
    assert server.asked[0].body["error_threshold"] == 0.5


def test_closed_client_says_so(server, client):
    client.close()
    with pytest.raises(PredictqError, match="the client is closed"):
        client.health()
    with pytest.raises(PredictqError, match="the client is closed"):
        list(client.jobs.follow("j1"))
    assert server.asked == []
