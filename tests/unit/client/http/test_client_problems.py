"""Each problem of the server becomes one of the public errors."""

import pickle

import pytest

import predictq
from predictq import (
    Detail,
    Gone,
    InvalidRequest,
    NotFound,
    PredictionCancelled,
    PredictionFailed,
    PredictqError,
    ProblemError,
    TooLarge,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
    WaitTimeout,
)
from tests.unit.fake_server import Answer, problem

ROW = [5.1, 3.5, 1.4, 0.2]


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
def test_statuses_have_their_errors(server, client, status, kind):
    server.script(problem(status, "some_code", retryable=status == 503))
    with pytest.raises(kind) as caught:
        client.submit("iris", ROW)
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code) == (status, "some_code")
    assert caught.value.retryable is (status == 503)


def test_problem_details_are_named(server, client):
    fault = {"loc": ["features", 1, "age"], "msg": "row 1: no", "row": 1}
    server.script(problem(422, "invalid_features", [fault]))
    with pytest.raises(InvalidRequest, match=r"^that is invalid_features; row 1: no$") as caught:
        client.submit("iris", [ROW])
    assert caught.value.errors == (Detail(("features", 1, "age"), "row 1: no", 1),)


def test_proxy_error_page_is_classified_by_its_status(server, client):
    server.behave = lambda _: Answer(502, b"<html>", content_type="text/html")
    with pytest.raises(Unavailable, match="502 Bad Gateway") as caught:
        client.health()
    assert caught.value.code == "http_502"
    assert caught.value.retryable


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'{"status": "queued"}', b"{}", b"null"])
def test_foreign_answer_is_reported(server, client, body):
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
def test_errors_can_be_pickled(error):
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, PredictqError)
    assert (str(copy), vars(copy)) == (str(error), vars(error))


def test_errors_are_all_public():
    public = {name for name in predictq.__all__ if isinstance(getattr(predictq, name), type)}
    assert {kind.__name__ for kind in ProblemError.__subclasses__()} < public
