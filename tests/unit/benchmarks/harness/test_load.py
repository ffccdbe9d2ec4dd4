"""The load generator counts answers correctly."""

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.harness.load import answer, collect, latencies, submit, submit_at, wait_for
from benchmarks.harness.processes import free_port
from benchmarks.harness.wire import LoadFailed, post

LOOKS = 3
"""The look-up at which an outcome is there."""
REQUESTS = [post("/predict/async", body) for body in (b"{}", b'{"a": 1}')]


class Tiny(ThreadingHTTPServer):
    """Accepts with increasing ids, and has each outcome at the third look-up."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 202
        self.refusals = 0
        """The first so many requests are answered 503."""
        self.bodies: list[bytes] = []
        self.looks: Counter[str] = Counter()
        self.lock = threading.Lock()

    def handle_error(self, *_: object) -> None:
        """A failed load drops its connections; do not log that."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Tiny

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.bodies.append(body)
            number = len(self.server.bodies)
        status = 503 if number <= self.server.refusals else self.server.status
        self._answer(status, f'{{"id":"t{number}"}}')

    def do_GET(self) -> None:
        task_id = self.path.rpartition("/")[2]
        with self.server.lock:
            self.server.looks[task_id] += 1
            done = self.server.looks[task_id] >= LOOKS
        self._answer(200 if done else 202, f'{{"id":"{task_id}"}}')

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def tiny() -> Iterator[Tiny]:
    with Tiny() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_closed_loop_counts_accepted_submissions(tiny: Tiny) -> None:
    accepted = submit(tiny.server_port, REQUESTS, 0.3)
    assert len(accepted.ids) == len(set(accepted.ids)) == len(tiny.bodies) > 32
    assert 0.3 <= accepted.ended - accepted.started < 5
    assert Counter(accepted.requests)[0] == Counter(tiny.bodies)[b"{}"]


@pytest.mark.parametrize("most", [1, 31, 32, 33, 100])
def test_closed_loop_stops_at_its_bound(tiny: Tiny, most: int) -> None:
    assert len(submit(tiny.server_port, REQUESTS, 60, most).ids) == len(tiny.bodies) == most


def test_open_loop_keeps_its_rate(tiny: Tiny) -> None:
    accepted = submit_at(tiny.server_port, REQUESTS, rate=100, seconds=0.5)
    assert len(accepted.ids) == len(tiny.bodies) == 50
    assert accepted.ended - accepted.started >= 0.49


def test_latencies_count_every_look(tiny: Tiny) -> None:
    taken = latencies(tiny.server_port, REQUESTS, rate=50, seconds=0.4)
    assert len(taken) == len(tiny.bodies) == 20
    assert set(tiny.looks.values()) == {LOOKS}
    assert min(taken) >= 0.005 * LOOKS


def test_callers_that_wait_are_counted_once(tiny: Tiny) -> None:
    rate = answer(tiny.server_port, REQUESTS, 0.3)
    assert set(tiny.looks.values()) == {LOOKS}
    assert rate <= len(tiny.bodies) / 0.3


def test_outcomes_come_back_in_the_order_of_their_ids(tiny: Tiny) -> None:
    ids = [f"t{number}" for number in range(100)]
    last = wait_for(tiny.server_port, ids[-1])
    found = collect(tiny.server_port, ids)
    assert found.bodies == [f'{{"id":"{task_id}"}}'.encode() for task_id in ids]
    assert found.ended > last.ended > 0


def test_temporary_refusal_is_submitted_again(tiny: Tiny) -> None:
    tiny.refusals = 40
    accepted = submit(tiny.server_port, REQUESTS, 60, most=100)
    assert len(accepted.ids) == len(set(accepted.ids)) == len(tiny.bodies) - 40 == 100


def test_load_counts_a_refusal_as_not_accepted(tiny: Tiny) -> None:
    tiny.status = 503
    with pytest.raises(LoadFailed, match="503"):
        submit(tiny.server_port, REQUESTS, 0.3)


def test_load_counts_an_error_as_no_outcome(tiny: Tiny) -> None:
    tiny.status = 500
    with pytest.raises(LoadFailed, match="500"):
        latencies(tiny.server_port, REQUESTS, rate=50, seconds=0.1)


def test_load_ends_at_a_refused_connection() -> None:
    with pytest.raises(LoadFailed, match="no connection"):
        submit(free_port(), REQUESTS, 0.3)
