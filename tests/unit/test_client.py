"""The client against a real server that acts out the contract; time is the test's own."""

import math
import pickle
import socket
import threading

import numpy as np
import pandas as pd
import pytest
from stand_in import DROP, Answer, outcome, pending, problem, stand_in, succeeded

import predictq
from predictq import (
    Client,
    Detail,
    Gone,
    InvalidRequest,
    NotFound,
    Pending,
    Prediction,
    PredictionCancelled,
    PredictionExpired,
    PredictionFailed,
    PredictqError,
    ProblemError,
    TooLarge,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
    WaitTimeout,
)
from predictq.retries import ATTEMPTS, Clock
from predictq.rows import features

ROW = [5.1, 3.5, 1.4, 0.2]
LOOK = ("GET", "/predict/result/p1")


class OwnTime(Clock):
    """Goes on by sleeping, and a little whenever it is looked at."""

    def __init__(self):
        self.seconds = 1000.0
        self.slept = []

    def now(self):
        self.seconds += 1e-5
        return self.seconds

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += seconds


@pytest.fixture
def server():
    with stand_in() as stand:
        yield stand


@pytest.fixture
def clock():
    return OwnTime()


@pytest.fixture
def client(server, clock):
    with Client(server.url, clock=clock) as client:
        yield client


@pytest.fixture
def nowhere():
    """An address where nobody listens: the port is taken, but not open."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


class TestPredict:
    def test_gives_the_outcome(self, server, client):
        server.script(succeeded(["setosa"]))

        answer = client.predict("iris@production", ROW, method="predict")

        assert answer.predictions == ["setosa"]
        assert (answer.id, answer.status, answer.receipt.version) == ("p1", "succeeded", 3)
        (asked,) = server.asked
        assert (asked.method, asked.path) == ("POST", "/predict")
        assert asked.body == {"model": "iris@production", "features": ROW, "method": "predict"}
        assert asked.headers["Prefer"] == "wait=30"

    def test_asks_again_until_there_is_an_outcome(self, server, client, clock):
        server.script(pending(retry_after="2"), pending(status="running"), succeeded([1]))

        assert client.predict("iris", ROW).predictions == [1]

        assert server.calls == [("POST", "/predict"), LOOK, LOOK]
        assert [asked.headers["Prefer"] for asked in server.asked[1:]] == ["wait=28", "wait=27"]
        assert clock.slept == [2, 1]

    def test_a_wait_that_is_over_tells_the_id(self, server, client):
        server.behave = lambda _: pending()
        with pytest.raises(WaitTimeout, match="p1") as caught:
            client.predict("iris", ROW, timeout=2.6)
        assert caught.value.id == "p1"
        assert caught.value.retryable
        assert [asked.headers["Prefer"] for asked in server.asked] == [
            "wait=3", "wait=2", "wait=1", "wait=0",
        ]  # fmt: skip

    @pytest.mark.parametrize("trouble", [DROP, problem(503, "unavailable", Retry_After="1")])
    def test_what_was_accepted_is_waited_for_through_an_outage(self, server, client, trouble):
        server.script(pending(), *[trouble] * (ATTEMPTS + 2), succeeded([1]))
        assert client.predict("iris", ROW).predictions == [1]

    def test_a_connection_that_breaks_is_asked_again_under_the_same_key(self, server, client):
        server.script(DROP, succeeded([1]))
        assert client.predict("iris", ROW).predictions == [1]
        first, second = (asked.headers["Idempotency-Key"] for asked in server.asked)
        assert first == second

    def test_each_prediction_has_a_key_of_its_own(self, server, client):
        server.behave = lambda _: succeeded([1])
        client.predict("iris", ROW)
        client.predict("iris", ROW)
        assert len({asked.headers["Idempotency-Key"] for asked in server.asked}) == 2

    def test_a_failed_outcome_is_an_error(self, server, client):
        error = {"code": "model_error", "message": "it raised", "retryable": False}
        server.script(outcome("failed", error=error))
        with pytest.raises(PredictionFailed, match="it raised") as caught:
            client.predict("iris", ROW)
        assert (caught.value.id, caught.value.code) == ("p1", "model_error")
        assert not caught.value.retryable

    @pytest.mark.parametrize(
        ("status", "error"),
        [("cancelled", PredictionCancelled), ("expired", PredictionExpired)],
    )
    def test_other_ends_are_errors(self, server, client, status, error):
        server.script(outcome(status))
        with pytest.raises(error, match="p1"):
            client.predict("iris", ROW)


class TestSubmitAndResult:
    def test_submit_gives_what_was_accepted(self, server, client):
        server.script(pending())
        accepted = client.submit("iris", ROW, method="predict_proba")
        assert isinstance(accepted, Pending)
        assert (accepted.id, accepted.task_id, accepted.status) == ("p1", "p1", "queued")
        assert accepted.urls.result == "/predict/result/p1"
        assert accepted.retry_after == 1
        assert server.asked[0].body["method"] == "predict_proba"

    def test_submitting_again_under_a_key_may_find_it_done(self, server, client):
        server.script(succeeded([1]))
        accepted = client.submit("iris", ROW, idempotency_key="mine")
        assert (accepted.id, accepted.status) == ("p1", "succeeded")
        assert server.asked[0].headers["Idempotency-Key"] == "mine"

    def test_a_pending_finds_its_own_outcome(self, server, client):
        server.script(pending(), pending(), succeeded([1]))
        accepted = client.submit("iris", ROW)
        assert isinstance(accepted.result(), Pending)
        finished = accepted.result(wait=5)
        assert isinstance(finished, Prediction)
        assert server.asked[-1].headers["Prefer"] == "wait=5"

    def test_without_a_wait_it_tells_how_things_stand(self, server, client, clock):
        server.script(pending(status="running"))
        assert client.result("p1").status == "running"
        assert server.asked[0].headers["Prefer"] == "wait=0"
        assert clock.slept == []

    def test_a_wait_ends_with_how_things_stand(self, server, client, clock):
        server.behave = lambda _: pending(status="running")
        assert isinstance(client.result("p1", wait=3), Pending)
        assert sum(clock.slept) == pytest.approx(3, abs=0.01)

    def test_a_server_that_names_no_pause_is_not_hammered(self, server, client):
        server.behave = lambda _: pending(retry_after=None)
        client.result("p1", wait=2)
        assert len(server.asked) == 5
        server.behave = lambda _: pending(retry_after="0")
        client.result("p1", wait=1)
        assert len(server.asked) < 30

    def test_absolute_addresses_are_followed(self, server, client):
        first = pending()
        first.body["urls"]["result"] = f"{server.url}/elsewhere/p1"
        server.script(first, succeeded([1]))
        client.predict("iris", ROW)
        assert server.calls[-1] == ("GET", "/elsewhere/p1")

    def test_an_id_is_quoted(self, server, client):
        server.script(problem(404, "prediction_not_found"))
        with pytest.raises(NotFound):
            client.result("../health?x")
        assert server.calls == [("GET", "/predict/result/..%2Fhealth%3Fx")]

    def test_cancel(self, server, client):
        server.script(outcome("cancelled"), problem(410, "result_gone"))
        client.cancel("p1")
        assert server.calls == [("DELETE", "/predict/result/p1")]
        with pytest.raises(Gone):
            client.cancel("p1")


class TestQuestions:
    def test_models_and_health(self, server, client):
        server.script(
            Answer(200, {"models": [{"name": "iris"}]}),
            Answer(200, {"name": "iris", "latest": 3}),
            Answer(200, {"status": "ok"}),
        )
        assert client.models() == [{"name": "iris"}]
        assert client.model("iris")["latest"] == 3
        assert client.health() == {"status": "ok"}
        assert server.calls == [("GET", "/models"), ("GET", "/models/iris"), ("GET", "/health")]

    def test_ready(self, server, client):
        server.script(Answer(200, {"ready": True}), Answer(503, {"ready": False}))
        assert client.ready()
        assert not client.ready()

    def test_nothing_is_ready_where_nobody_listens(self, nowhere, clock):
        assert not Client(nowhere, clock=clock).ready()


class TestProblems:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, InvalidRequest),
            (404, NotFound),
            (405, ProblemError),
            (410, Gone),
            (413, TooLarge),
            (415, InvalidRequest),
            (422, InvalidRequest),
            (429, Unavailable),
            (500, ProblemError),
            (503, Unavailable),
        ],
    )
    def test_each_status_has_its_error(self, server, client, status, kind):
        server.script(problem(status, "some_code", retryable=status == 503))
        with pytest.raises(kind) as caught:
            client.submit("iris", ROW)
        assert type(caught.value) is kind
        assert (caught.value.status, caught.value.code) == (status, "some_code")
        assert caught.value.retryable is (status == 503)

    def test_the_places_are_named(self, server, client):
        fault = {"loc": ["features", 1, "age"], "msg": "row 1: no", "row": 1}
        server.script(problem(422, "invalid_features", [fault]))
        with pytest.raises(
            InvalidRequest, match=r"^that is invalid_features; row 1: no$"
        ) as caught:
            client.submit("iris", [ROW])
        assert caught.value.errors == (Detail(("features", 1, "age"), "row 1: no", 1),)

    def test_a_page_of_a_proxy_is_known_by_its_status(self, server, client):
        server.script(Answer(502, b"<html>", content_type="text/html"))
        with pytest.raises(Unavailable, match="502 Bad Gateway") as caught:
            client.health()
        assert caught.value.code == "http_502"
        assert caught.value.retryable

    @pytest.mark.parametrize("body", [b"<html>", b"[1]", b'{"status": "queued"}', b"{}", b"null"])
    def test_an_answer_of_something_else_is_told(self, server, client, body):
        server.script(Answer(200, body))
        with pytest.raises(UnexpectedAnswer, match="is the address right"):
            client.result("p1")

    @pytest.mark.parametrize(
        "error",
        [
            Unreachable("no", sent=True),
            UnexpectedAnswer("no"),
            InvalidRequest(422, "invalid", "no", (Detail((), "x"),)),
            PredictionFailed("p1", "model_error", "no", retryable=True),
            PredictionCancelled("p1"),
            WaitTimeout("p1"),
        ],
    )
    def test_errors_travel_between_processes(self, error):
        copy = pickle.loads(pickle.dumps(error))
        assert isinstance(copy, PredictqError)
        assert (str(copy), vars(copy)) == (str(error), vars(error))


class TestRetries:
    def test_a_question_is_repeated_when_the_connection_breaks(self, server, client, clock):
        server.script(DROP, DROP, Answer(200, {"status": "ok"}))
        assert client.health() == {"status": "ok"}
        assert len(clock.slept) == 2

    def test_repeating_ends(self, server, client):
        server.behave = lambda _: DROP
        with pytest.raises(Unreachable, match="no answer from 127") as caught:
            client.health()
        assert len(server.asked) == ATTEMPTS
        assert caught.value.sent

    def test_a_busy_server_is_asked_again_when_it_says(self, server, client, clock):
        server.script(problem(503, "unavailable", Retry_After="3"), Answer(200, {}))
        client.health()
        assert clock.slept == [3]

    def test_a_refusal_without_a_time_is_final(self, server, client):
        server.script(problem(503, "unavailable"))
        with pytest.raises(Unavailable):
            client.health()

    def test_a_time_beyond_the_deadline_is_not_waited_for(self, server, client, clock):
        server.script(problem(503, "unavailable", Retry_After="3600"))
        with pytest.raises(Unavailable):
            client.health()
        assert clock.slept == []

    @pytest.mark.parametrize("answer", [DROP, problem(503, "queue_full", Retry_After="1")])
    def test_a_submission_without_a_key_is_sent_once(self, server, client, answer):
        server.script(answer)
        with pytest.raises((Unreachable, Unavailable)):
            client.submit("iris", ROW)
        assert len(server.asked) == 1

    @pytest.mark.parametrize("answer", [DROP, problem(503, "queue_full", Retry_After="1")])
    def test_a_submission_with_a_key_is_repeated(self, server, client, answer):
        server.script(answer, pending())
        assert client.submit("iris", ROW, idempotency_key="k").id == "p1"

    def test_what_was_never_sent_is_repeated_whatever_it_is(self, nowhere, clock):
        with pytest.raises(Unreachable, match="cannot reach 127") as caught:
            Client(nowhere, clock=clock).submit("iris", ROW)
        assert not caught.value.sent
        assert len(clock.slept) == ATTEMPTS - 1

    def test_a_password_in_the_address_is_not_told(self, nowhere, clock):
        with pytest.raises(Unreachable) as caught:
            Client(nowhere.replace("//", "//me:secret@"), clock=clock).health()
        assert "secret" not in str(caught.value)


class TestRows:
    @pytest.mark.parametrize(
        ("rows", "sent"),
        [
            (ROW, ROW),
            ([ROW, (1, 2)], [ROW, [1, 2]]),
            ({"age": 1, "city": "x"}, {"age": 1, "city": "x"}),
            ([{"age": math.nan}, {"age": None}], [{"age": None}, {"age": None}]),
            ([True, "a", math.inf], [True, "a", math.inf]),
            (np.array([[1.5, np.nan], [3, 4]]), [[1.5, None], [3, 4]]),
            ([np.float64(1.5), np.int64(2), np.bool_(True)], [1.5, 2, True]),
            (np.array(["a", None], dtype=object), ["a", None]),
            (pd.Series([1.0, math.nan]), [1.0, None]),
            (
                pd.DataFrame({"age": pd.array([1, None], "Int64"), "city": ["x", None]}),
                [{"age": 1, "city": "x"}, {"age": None, "city": None}],
            ),
            (pd.DataFrame([[1, 2.5]]), [[1, 2.5]]),
            ((1, math.nan), [1, None]),
            ([pd.NaT, pd.NA], [None, None]),
        ],
        ids=str,
    )
    def test_all_that_holds_rows_is_taken(self, rows, sent):
        assert features(rows) == sent

    def test_what_json_cannot_say_is_a_type_error(self, client, server):
        with pytest.raises(TypeError, match="not JSON serializable"):
            client.submit("iris", [object()])
        assert server.asked == []

    def test_missing_values_travel_as_null(self, server, client):
        server.script(succeeded([None]))
        assert client.predict("iris", np.array([1.0, np.nan])).predictions == [None]
        assert server.asked[0].body["features"] == [1.0, None]


class TestAddress:
    def test_comes_from_the_environment(self, server, monkeypatch):
        server.behave = lambda _: Answer(200, {})
        monkeypatch.setenv("PREDICTQ_URL", server.url)
        Client().health()
        monkeypatch.delenv("PREDICTQ_URL")
        monkeypatch.setenv("PREDICTQ_PORT", server.url.rpartition(":")[2])
        Client().health()
        assert len(server.asked) == 2

    def test_may_have_a_path(self, server):
        server.script(Answer(200, {}))
        Client(f"{server.url}/ml/").health()
        assert server.calls == [("GET", "/ml/health")]

    def test_loopback_never_goes_through_a_proxy(self, server, nowhere, monkeypatch):
        server.script(Answer(200, {}))
        monkeypatch.setenv("http_proxy", nowhere)
        assert Client(server.url).health() == {}

    @pytest.mark.parametrize("url", ["localhost:5000", "ftp://host", "http://", "http://a:b"])
    def test_nonsense_is_told_at_once(self, url):
        with pytest.raises(ValueError, match="not an"):
            Client(url)


def test_threads_share_a_client(server, client):
    server.behave = lambda asked: succeeded(asked.body["features"])
    answers = {}

    def ask(number):
        answers[number] = client.predict("iris", [number]).predictions

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: [number] for number in range(20)}


def test_every_error_is_public():
    public = {name for name in predictq.__all__ if isinstance(getattr(predictq, name), type)}
    assert {kind.__name__ for kind in ProblemError.__subclasses__()} < public
