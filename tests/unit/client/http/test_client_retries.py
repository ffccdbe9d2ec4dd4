"""Which requests are retried, when, and which never."""

import pytest

from predictq import Client, PredictqError, Unavailable, Unreachable
from predictq.http.retries import MAX_BACKOFF
from predictq.http.server import UNSEEN_SERVER_SECONDS
from tests.unit.fake_server import DROP, Answer, pending, problem, stand_in, succeeded

ROW = [5.1, 3.5, 1.4, 0.2]
BUSY = problem(503, "queue_full", retryable=True, Retry_After="1")
PAGE = Answer(503, b"<html>", content_type="text/html")


def test_get_is_repeated_when_the_connection_breaks(server, client, clock):
    server.script(DROP, DROP, Answer(200, {"status": "ok"}))
    assert client.health() == {"status": "ok"}
    assert len(clock.slept) == 2


@pytest.mark.parametrize("trouble", [DROP, BUSY, PAGE, Answer(502, b"", content_type="text/html")])
def test_retries_go_on_until_the_deadline(server, clock, trouble):
    server.behave = lambda _: trouble
    begun = clock.seconds
    with pytest.raises((Unreachable, Unavailable)):
        Client(server.url, timeout=60, clock=clock).health()
    assert 59 < clock.seconds - begun < 60.1  # the last Retry-After would exceed the deadline
    assert len(server.asked) == len(clock.slept) + 1
    assert max(clock.slept) <= MAX_BACKOFF


def test_backoff_grows_and_is_random(server, client, clock, monkeypatch):
    server.behave = lambda _: DROP
    limits = []
    monkeypatch.setattr("random.uniform", lambda _, limit: limits.append(limit) or limit / 2)
    with pytest.raises(Unreachable, match="no answer from 127") as caught:
        client.health()
    assert caught.value.sent
    assert limits[:8] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5]
    assert sum(clock.slept) == pytest.approx(120, abs=0.1)


def test_timeout_of_one_call_may_be_shorter(server, client, clock):
    server.behave = lambda _: DROP
    with pytest.raises(Unreachable):
        client.predict("iris", ROW, timeout=7)
    assert sum(clock.slept) == pytest.approx(7, abs=0.1)


def test_busy_server_is_retried_after_retry_after(server, client, clock):
    server.script(problem(503, "unavailable", Retry_After="3"), Answer(200, {}))
    client.health()
    assert clock.slept == [3]


def test_refusal_without_retry_after_is_final(server, client):
    server.script(problem(503, "unavailable"))
    with pytest.raises(Unavailable):
        client.health()


def test_retry_after_beyond_the_deadline_is_not_waited_for(server, client, clock):
    server.script(problem(503, "unavailable", Retry_After="3600"))
    with pytest.raises(Unavailable):
        client.health()
    assert clock.slept == []


@pytest.mark.parametrize("answer", [DROP, problem(503, "queue_full", Retry_After="1")])
def test_submission_without_a_key_is_sent_once(server, client, answer):
    server.script(answer)
    with pytest.raises((Unreachable, Unavailable)):
        client.submit("iris", ROW)
    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", [DROP, problem(503, "queue_full", Retry_After="1")])
def test_submission_with_a_key_is_repeated(server, client, answer):
    server.script(answer, pending())
    assert client.submit("iris", ROW, idempotency_key="k").id == "p1"


def test_outcome_is_not_requested_again(server, client, clock):
    ended = problem(503, "worker_lost", retryable=True, Retry_After="1")
    ended.body.update(id="p1", urls={"result": "/predict/result/p1"})
    server.script(ended)
    with pytest.raises(PredictqError):
        client.predict("iris", ROW)
    assert clock.slept == []


def test_unsent_request_of_any_kind_is_repeated(nowhere, clock):
    with pytest.raises(Unreachable, match="no predictq answers at http://127") as caught:
        Client(nowhere, clock=clock, timeout=60).submit("iris", ROW)
    assert not caught.value.sent
    assert sum(clock.slept) == pytest.approx(60, abs=0.1)


def test_unreachable_server_is_given_up_soon(nowhere, clock):
    with pytest.raises(Unreachable):
        Client(nowhere, clock=clock).health()
    assert sum(clock.slept) == pytest.approx(UNSEEN_SERVER_SECONDS, abs=0.1)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.predict("iris", ROW, timeout=20),
        lambda client: client.result("p1", wait=20),
    ],
)
def test_given_timeout_is_kept_where_no_server_listens(nowhere, clock, call):
    with pytest.raises(Unreachable):
        call(Client(nowhere, clock=clock))
    assert sum(clock.slept) == pytest.approx(20, abs=0.1)


def test_server_seen_before_is_waited_for(clock):
    with stand_in() as server:
        server.script(Answer(200, {}))
        client = Client(server.url, clock=clock)
        client.health()
    with pytest.raises(Unreachable):
        client.health()
    assert sum(clock.slept) == pytest.approx(120, abs=0.1)


def test_unreachable_says_where_it_looked_and_what_to_do(nowhere, clock, monkeypatch):
    monkeypatch.setenv("PREDICTQ_URL", nowhere)
    with pytest.raises(Unreachable) as caught:
        Client(clock=clock).health()
    assert f"no predictq answers at {nowhere} (by PREDICTQ_URL)" in str(caught.value)
    assert "start one with `predictq up`, or set PREDICTQ_URL" in str(caught.value)


def test_password_in_the_address_is_not_shown(nowhere, clock):
    with pytest.raises(Unreachable) as caught:
        Client(nowhere.replace("//", "//me:secret@"), clock=clock).health()
    assert "secret" not in str(caught.value)


UNCERTAIN = problem(503, "submission_uncertain", retryable=True, Retry_After="1")
UNCERTAIN.body["id"] = "p1"
POST, LOOK = ("POST", "/predict/async"), ("GET", "/predict/result/p1")


@pytest.mark.parametrize("found", [pending(), succeeded([1])])
def test_uncertain_submission_is_looked_up(server, client, found):
    server.script(UNCERTAIN, problem(503, "unavailable", Retry_After="1"), found)
    assert client.submit("iris", ROW).id == "p1"
    assert server.calls == [POST, LOOK, LOOK]


def test_uncertain_submission_that_was_not_accepted_is_retryable(server, client):
    server.script(UNCERTAIN, problem(404, "prediction_not_found"))
    with pytest.raises(Unavailable) as caught:
        client.submit("iris", ROW)
    assert (caught.value.code, caught.value.id) == ("submission_uncertain", "p1")
    assert caught.value.retryable


def test_uncertain_submission_with_a_key_is_repeated_at_once(server, client):
    server.script(UNCERTAIN, pending())
    assert client.submit("iris", ROW, idempotency_key="k").id == "p1"
    assert server.calls == [POST, POST]
