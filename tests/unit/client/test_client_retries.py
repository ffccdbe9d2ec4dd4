"""What is sent again, when, and what never is."""

import pytest

from predictq import Client, Unavailable, Unreachable
from predictq.retries import ATTEMPTS
from tests.unit.stand_in import DROP, Answer, pending, problem, succeeded

ROW = [5.1, 3.5, 1.4, 0.2]


def test_a_question_is_repeated_when_the_connection_breaks(server, client, clock):
    server.script(DROP, DROP, Answer(200, {"status": "ok"}))
    assert client.health() == {"status": "ok"}
    assert len(clock.slept) == 2


def test_repeating_ends(server, client):
    server.behave = lambda _: DROP
    with pytest.raises(Unreachable, match="no answer from 127") as caught:
        client.health()
    assert len(server.asked) == ATTEMPTS
    assert caught.value.sent


def test_a_busy_server_is_asked_again_when_it_says(server, client, clock):
    server.script(problem(503, "unavailable", Retry_After="3"), Answer(200, {}))
    client.health()
    assert clock.slept == [3]


def test_a_refusal_without_a_time_is_final(server, client):
    server.script(problem(503, "unavailable"))
    with pytest.raises(Unavailable):
        client.health()


def test_a_time_beyond_the_deadline_is_not_waited_for(server, client, clock):
    server.script(problem(503, "unavailable", Retry_After="3600"))
    with pytest.raises(Unavailable):
        client.health()
    assert clock.slept == []


@pytest.mark.parametrize("answer", [DROP, problem(503, "queue_full", Retry_After="1")])
def test_a_submission_without_a_key_is_sent_once(server, client, answer):
    server.script(answer)
    with pytest.raises((Unreachable, Unavailable)):
        client.submit("iris", ROW)
    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", [DROP, problem(503, "queue_full", Retry_After="1")])
def test_a_submission_with_a_key_is_repeated(server, client, answer):
    server.script(answer, pending())
    assert client.submit("iris", ROW, idempotency_key="k").id == "p1"


def test_what_was_never_sent_is_repeated_whatever_it_is(nowhere, clock):
    with pytest.raises(Unreachable, match="cannot reach 127") as caught:
        Client(nowhere, clock=clock).submit("iris", ROW)
    assert not caught.value.sent
    assert len(clock.slept) == ATTEMPTS - 1


def test_a_password_in_the_address_is_not_told(nowhere, clock):
    with pytest.raises(Unreachable) as caught:
        Client(nowhere.replace("//", "//me:secret@"), clock=clock).health()
    assert "secret" not in str(caught.value)


UNCERTAIN = problem(503, "submission_uncertain", retryable=True, Retry_After="1")
UNCERTAIN.body["id"] = "p1"
POST, LOOK = ("POST", "/predict/async"), ("GET", "/predict/result/p1")


@pytest.mark.parametrize("found", [pending(), succeeded([1])])
def test_one_that_may_have_been_accepted_is_looked_up(server, client, found):
    server.script(UNCERTAIN, problem(503, "unavailable", Retry_After="1"), found)
    assert client.submit("iris", ROW).id == "p1"
    assert server.calls == [POST, LOOK, LOOK]


def test_one_that_was_not_accepted_may_be_submitted_again(server, client):
    server.script(UNCERTAIN, problem(404, "prediction_not_found"))
    with pytest.raises(Unavailable) as caught:
        client.submit("iris", ROW)
    assert (caught.value.code, caught.value.id) == ("submission_uncertain", "p1")
    assert caught.value.retryable


def test_with_a_key_it_is_submitted_again_at_once(server, client):
    server.script(UNCERTAIN, pending())
    assert client.submit("iris", ROW, idempotency_key="k").id == "p1"
    assert server.calls == [POST, POST]
