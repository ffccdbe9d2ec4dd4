"""Lines, defaults and documents of bulk requests."""

import math

import pytest

from api.bulk import parsing
from api.bulk.parsing import LineParser, read_document
from api.predictions.defaults import Defaults, read_defaults
from api.predictions.submission import Submission
from telemetry.errors import Invalid, Malformed, PredictqError


def parsed(line: bytes, defaults: Defaults | None = None) -> Submission:
    return LineParser(defaults or Defaults(), max_rows=10).parse(line)


def test_line_has_the_fields_of_a_submission() -> None:
    line = b'{"model":"m","features":[1],"method":"predict_proba","max_queue_seconds":2}'
    assert parsed(line) == Submission("m", [1], "predict_proba", 2.0)


def test_line_wins_over_defaults() -> None:
    defaults = read_defaults(b"model=m%401&method=transform&timeout_seconds=2.5", Defaults)
    assert parsed(b'{"features":[1]}', defaults) == Submission(
        "m@1", [1], "transform", timeout_seconds=2.5
    )
    line = b'{"features":[1],"model":"n","timeout_seconds":null}'
    assert parsed(line, defaults) == Submission("n", [1], "transform", timeout_seconds=None)


def test_line_may_hold_nan() -> None:
    assert math.isnan(parsed(b'{"model":"m","features":[NaN]}').features[0])


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"features":[1]}', Invalid),
        (b'{"model":"m"}', Invalid),
        (b'{"model":"m","features":[1],"other":1}', Invalid),
        (b'{"model":"m","features":[1],"timeout_seconds":0.001}', Invalid),
        (b"[1]", Invalid),
        (b'{"model":"m","feat', Malformed),
        (b"\xff", Malformed),
        (b"[" * 100_000, PredictqError),
    ],
    ids=["no model", "no features", "unknown", "limit", "list", "half", "bytes", "deep"],
)
def test_line_that_is_wrong_is_refused(line: bytes, kind: type[PredictqError]) -> None:
    with pytest.raises(kind):
        parsed(line)


@pytest.mark.parametrize(
    "query",
    [b"models=m", b"model=m&model=n", b"model=%ff", b"timeout_seconds=x", b"&".join([b"a=1"] * 50)],
)
def test_query_that_is_wrong_is_refused(query: bytes) -> None:
    with pytest.raises(Invalid):
        read_defaults(query, Defaults)


def test_document_is_a_list_of_lines_with_defaults() -> None:
    document = read_document(b'{"model":"m","requests":[{"features":[1]},{"features":[2]}]}')
    assert document
    assert document.defaults == Defaults(model="m")
    assert document.requests == [b'{"features":[1]}', b'{"features":[2]}']


def test_document_may_hold_nan() -> None:
    document = read_document(b'{"model":"m","requests":[{"features":[NaN]}]}')
    assert document
    assert parsed(document.requests[0], document.defaults).features == [None]


@pytest.mark.parametrize("value", [b"1", b"NaN"])
def test_document_keeps_one_request_more_than_it_may_have(
    monkeypatch: pytest.MonkeyPatch, value: bytes
) -> None:
    monkeypatch.setattr(parsing, "MAX_LINES", 2)
    document = read_document(b'{"requests":[' + b",".join([value] * 10) + b"]}")
    assert document
    assert len(document.requests) == 3


@pytest.mark.parametrize(
    "body", [b'{"model":"m","features":["requests"]}', b'["requests"]', b'{"requests"', b"\xff"]
)
def test_document_without_requests_is_none(body: bytes) -> None:
    assert read_document(body) is None


@pytest.mark.parametrize(
    "body", [b'{"requests":1}', b'{"requests":[],"features":[1]}', b'{"requests":{"a":NaN}}']
)
def test_document_that_is_wrong_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        read_document(body)
