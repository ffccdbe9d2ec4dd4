"""Bulk requests over a fake ledger: what is accepted, refused, and told."""

import json
from pathlib import Path

import pytest
import redis
from msgspec import to_builtins

from api.bulk import problems
from api.bulk.answer import MAX_DETAILED_BYTES, MAX_UNSENT_BYTES
from api.bulk.lines import MAX_LINES
from api.bulk.problems import line_problem
from registry.splits import chosen_version
from tasks.ledger.predictions.acceptance import Offer, uncertain
from telemetry.errors import (
    InvalidFeatures,
    PredictqError,
    QueueFull,
    Unavailable,
    UnsupportedMethod,
    VersionPaused,
)
from tests.unit.api.bulk.bulk_front import GOOD, Front


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return Front(tmp_path)


def test_bulk_submission_pins_and_keys_each_line(front: Front) -> None:
    answers = front.post(GOOD, b"\n" + GOOD, query=b"model=m%401", idempotency_key="k") or []
    assert front.status == 404  # "1" is no alias
    answers = front.post(GOOD, b"\n" + GOOD, query=b"model=m:1", idempotency_key="k")
    assert front.status == 202
    offers = [offer for window in front.ledger.windows for offer in window]
    assert [answer["id"] for answer in answers] == [offer.record.task_id for offer in offers]
    assert [offer.record.reference for offer in offers] == ["m:1", "m:1"]
    assert [offer.idempotency.key for offer in offers] == ["k\n1", "k\n3"]
    assert len({offer.idempotency.fingerprint for offer in offers}) == 1


def test_bulk_submission_with_refused_lines_first_is_accepted(front: Front) -> None:
    front.ledger.verdict = lambda offer: QueueFull(retry_after=7)

    def relax(piece: int) -> None:
        if piece:
            front.ledger.verdict = lambda offer: offer.record.task_id

    first, second = front.post(GOOD, GOOD, before=relax)
    assert front.status == 202
    assert (first["line"], first["code"], first["retry_after"]) == (1, "queue_full", 7)
    assert second["status"] == "queued"


def test_bulk_submission_of_which_nothing_is_accepted_is_a_problem(front: Front) -> None:
    front.ledger.verdict = lambda offer: QueueFull(retry_after=7)
    (problem,) = front.post(GOOD, GOOD)
    assert (front.status, problem["code"], problem["line"]) == (503, "queue_full", 1)


def test_bulk_submission_without_an_answer_tells_the_ids_and_ends(front: Front) -> None:
    front.ledger.verdict = lambda offer: uncertain(offer.record.task_id)
    first, last = front.post(GOOD, GOOD, GOOD)
    assert front.status == 202
    assert (first["code"], first["line"]) == ("submission_uncertain", 1)
    assert first["id"] == front.ledger.windows[0][0].record.task_id
    assert (last["code"], last["line"]) == ("unavailable", 2)
    assert len(front.ledger.windows) == 1


def test_bulk_submission_ends_where_redis_goes_away(front: Front) -> None:
    def fail(piece: int) -> None:
        front.ledger.failure = redis.ConnectionError() if piece else None

    first, last = front.post(GOOD, GOOD, GOOD, before=fail)
    assert (front.status, first["status"]) == (202, "queued")
    assert (last["code"], last["line"]) == ("unavailable", 2)
    front.ledger.failure = redis.ConnectionError()
    (problem,) = front.post(GOOD)
    assert (front.status, problem["code"]) == (503, "unavailable")


def test_bulk_submission_ends_where_the_process_shuts_down(front: Front) -> None:
    def shut_down(piece: int) -> None:
        if piece:
            front.gateway.begin_shutdown()

    first, last = front.post(GOOD, GOOD, GOOD, before=shut_down)
    assert first["status"] == "queued"
    assert (last["code"], last["line"], last["retryable"]) == ("unavailable", 2, True)


def test_bulk_submission_with_an_unforeseen_error_is_ended_as_uncertain(front: Front) -> None:
    def fail(piece: int) -> None:
        front.ledger.failure = RuntimeError() if piece else None

    first, last = front.post(GOOD, GOOD, GOOD, before=fail)
    assert (front.status, first["status"]) == (202, "queued")
    assert (last["code"], last["line"]) == ("submission_uncertain", 2)


def test_bulk_submission_of_an_earlier_key_tells_its_id_even_if_it_cannot_be_read(
    front: Front,
) -> None:
    front.ledger.verdict = lambda offer: "earlier"
    assert front.post(GOOD, idempotency_key="k") == [{"id": "earlier", "status": "queued"}]


def test_bulk_submission_of_earlier_keys_reads_states_alone(front: Front) -> None:
    """The records of a window may have gigabytes."""
    answers = iter(["over", "forgotten"])
    front.ledger.verdict = lambda offer: next(answers)
    front.ledger.known = {"over": "succeeded"}
    first, second = front.post(GOOD + GOOD, idempotency_key="k")
    assert first == {"id": "over", "status": "succeeded"}
    assert (second["code"], second["line"]) == ("prediction_not_found", 2)


def test_bulk_submissions_at_a_time_are_bounded(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front.submissions, "_free", 0)
    (problem,) = front.post(GOOD)
    assert (front.status, problem["code"]) == (503, "busy")
    monkeypatch.setattr(front.submissions, "_free", 1)
    for _ in range(2):
        assert front.post(GOOD)[0]["status"] == "queued"


def test_bulk_submission_to_a_paused_version_takes_the_fallback(front: Front) -> None:
    front.ledger.verdict = lambda offer: (
        VersionPaused() if offer.record.version == 2 else offer.record.task_id
    )
    first, second = front.post(GOOD + b'{"model":"m:2","features":[1.0]}\n')
    assert first["status"] == "queued"
    assert (second["code"], second["line"]) == ("version_paused", 2)
    (offer,) = front.ledger.windows[-1]
    assert (offer.record.version, offer.record.alias) == (1, "fallback")


def test_bulk_submission_to_a_split_is_answered_by_the_version_of_its_key(front: Front) -> None:
    shares = {1: 50, 2: 50}
    front.split("production", shares)
    lines = [b'{"features":[1.0],"sticky":"key-%d"}\n' % n for n in range(20)]
    front.post(*lines, GOOD, GOOD, query=b"model=m@production", x_caller_id="ada")
    versions = [o.record.version for window in front.ledger.windows for o in window]
    keys = [*(f"key-{n}" for n in range(20)), "ada", "ada"]
    assert versions == [chosen_version("m", "production", shares, k.encode()) for k in keys]
    assert set(versions) == {1, 2}


def test_lines_have_priorities_of_their_own(front: Front) -> None:
    high = b'{"features":[1.0],"priority":"high"}\n'
    wrong = b'{"features":[1.0],"priority":"urgent"}\n'
    *_, refused = front.post(GOOD, high, wrong, query=b"model=m&priority=low")
    assert (refused["code"], refused["errors"][0]["loc"]) == ("invalid", ["priority"])
    front.post(GOOD, query=b"model=m")
    offers = [offer for window in front.ledger.windows for offer in window]
    assert [offer.priority for offer in offers] == ["low", "high", "normal"]


def test_bulk_submission_that_is_repeated_keeps_the_versions_of_its_lines(front: Front) -> None:
    front.split("production", {1: 50, 2: 50})
    for _ in range(2):
        front.post(GOOD * 20, query=b"model=m@production", idempotency_key="k")
    first, again = ([o.record.version for o in window] for window in front.ledger.windows)
    assert first == again
    assert set(first) == {1, 2}


def test_bulk_submission_whose_fallback_gets_no_answer_keeps_what_was_accepted(
    front: Front,
) -> None:
    def decide(offer: Offer) -> str | PredictqError:
        front.ledger.failure = redis.ConnectionError()  # from the next round trip on
        return VersionPaused() if offer.record.version == 2 else offer.record.task_id

    front.ledger.verdict = decide
    first, second = front.post(b'{"model":"m:1","features":[1.0]}\n' + GOOD)
    assert front.status == 202
    assert first == {"id": front.ledger.windows[0][0].record.task_id, "status": "queued"}
    assert (second["code"], second["line"]) == ("version_paused", 2)


def test_bulk_submission_keeps_no_more_problems_than_it_may(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.bulk.submission.MAX_UNSENT_BYTES", 10)
    answers = front.post(b"[]\n", GOOD)
    assert front.status == 422
    assert len(answers) == 1
    assert not front.ledger.windows


def test_bulk_submission_with_a_long_answer_tells_problems_without_details(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.bulk.submission.MAX_DETAILED_BYTES", 10)
    first, second, third = front.post(b'{"features":["a"]}\n', b'{"features":["a"]}\n', GOOD)
    assert first["errors"]
    told = {"errors": [], "detail": problems.LEFT_OUT, "line": 2}
    assert second == first | told
    assert third["status"] == "queued"


@pytest.mark.parametrize(
    "error",
    [QueueFull(retry_after=3600), InvalidFeatures("x" * 1000), UnsupportedMethod(), Unavailable()],
    ids=lambda error: error.code,
)
def test_problems_without_details_are_kept_for_all_lines(error: PredictqError) -> None:
    """Then a client that sends everything before it reads never waits for the server."""
    longest = len(json.dumps(to_builtins(line_problem(error, MAX_LINES, is_brief=True))))
    assert MAX_DETAILED_BYTES + MAX_LINES * longest < MAX_UNSENT_BYTES


def test_bulk_submission_that_ends_early_reads_the_rest(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.bulk.lines.MAX_LINES", 256)
    heard: list[int] = []
    length = str(len(GOOD) * 302)
    *accepted, last = front.post(
        GOOD * 256, GOOD, *[b"\n"] * 3, before=heard.append, content_length=length
    )
    assert len(accepted) == 256
    assert (last["code"], last["line"]) == ("too_large", 257)
    assert heard == [0, 1, 2, 3, 4]


def test_bulk_submission_that_is_too_long_is_not_begun(front: Front) -> None:
    (problem,) = front.post(GOOD, content_length="10001")
    assert (front.status, problem["code"]) == (413, "too_large")


def test_document_is_accepted_and_others_are_passed_on(front: Front) -> None:
    json_kind = b"application/json; charset=utf-8"
    document = b'{"model":"m","requests":[{"features":[1.0]},{"features":[]}]}'
    first, second = front.post(document, kind=json_kind, query=b"")
    assert front.status == 202
    assert first["status"] == "queued"
    assert second["line"] == 2
    for body in (b'{"model":"m","features":["requests"]}', b"x", b'{"requests"', b"x" * 10_001):
        front.post(body, kind=json_kind)
    assert front.passed == 4
    (problem,) = front.post(b'{"requests":1}', kind=json_kind)
    assert (front.status, problem["code"]) == (422, "invalid")
    (problem,) = front.post(b'{"requests":[]}', kind=json_kind)
    assert front.status == 400


@pytest.mark.parametrize("value", ["10", "NaN"])
def test_document_of_too_many_values_is_refused_before_it_is_read(
    front: Front, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setattr("api.limits.json_limits.MAX_VALUES", 20)
    monkeypatch.setattr("api.bulk.submit.read_document", None)
    document = f'{{"requests":[{",".join([value] * 21)}]}}'
    (problem,) = front.post(document.encode(), kind=b"application/json", query=b"")
    assert (front.status, problem["code"]) == (413, "too_large")


def test_document_may_have_the_rows_of_many_predictions(front: Front) -> None:
    """The fixture allows 100 rows; that is a bound of each prediction."""
    request = {"features": [[1.0]] * 10}
    document = json.dumps({"model": "m", "requests": [request] * 60})
    answers = front.post(document.encode(), kind=b"application/json", query=b"")
    assert [answer["status"] for answer in answers] == ["queued"] * 60
