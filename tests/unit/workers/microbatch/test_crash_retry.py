"""Crash retry of messages whose process died; the ledger is a stand-in."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import redis

from tasks.ledger.predictions.settled import Settled
from tasks.messages import Prediction
from tasks.record import Record
from tasks.time_limits import MAX_ATTEMPTS
from workers.microbatch.crash_retry import retry_or_fail, return_uncharged


class Ledger:
    """Gives one answer to every postponement, and records settled outcomes."""

    def __init__(self, answer: str | Exception, record: Record | None = None) -> None:
        self._answer, self._record = answer, record
        self.settled: list[tuple[str, Settled]] = []

    def postpone(self, tagged_ids: Sequence[tuple[str, str]], *, suspect: bool) -> list[str]:
        assert suspect
        if isinstance(self._answer, Exception):
            raise self._answer
        return [self._answer for _ in tagged_ids]

    def record(self, task_id: str) -> Record | None:
        return self._record

    def settle(self, version: str, outcomes: Sequence[Settled]) -> None:
        self.settled += [(version, outcome) for outcome in outcomes]


class Reservations:
    """Records withdrawn messages, or raises ``error``."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.withdrawn: list[tuple[str, str]] = []

    def withdraw(self, tagged_ids: Sequence[tuple[str, str]], *, alone: bool) -> None:
        assert alone
        if self._error:
            raise self._error
        self.withdrawn += tagged_ids


def message(reference: str | None = "m:3", *, is_step: bool = False) -> Any:
    request = SimpleNamespace(id="a")
    return SimpleNamespace(
        tag="tag a", request=request, reference=reference, is_step=is_step, traceparent=""
    )


def queued() -> Record:
    prediction = Prediction(
        model="m", version=3, alias="best", method="predict", features=[], created_at=1.0
    )
    return Record.queued("a", prediction)


@pytest.mark.parametrize(
    ("answer", "kind"), [("postponed", "retrying"), ("gone", "dropped"), ("last", "failed")]
)
def test_ledger_decides_about_a_crashed_message(answer: str, kind: str) -> None:
    assert retry_or_fail(Ledger(answer), message()) == kind


def test_last_attempt_fails_and_leaves_a_dead_letter() -> None:
    ledger = Ledger("last", queued())
    retry_or_fail(ledger, message())
    ((version, outcome),) = ledger.settled
    assert (version, outcome.tag, outcome.dead_after) == ("m:3", "tag a", MAX_ATTEMPTS)
    record = outcome.record
    assert (record.state, record.alias, record.created_at) == ("failed", "best", 1.0)
    assert record.error
    assert (record.error.code, record.error.attempt) == ("worker_lost", MAX_ATTEMPTS)


@pytest.mark.parametrize(("reference", "known"), [("m:3", ("m", 3)), (None, ("unknown", 0))])
def test_message_without_a_record_fails_for_its_own_version(
    reference: str | None, known: tuple[str, int]
) -> None:
    ledger = Ledger("last")
    retry_or_fail(ledger, message(reference))
    ((_, outcome),) = ledger.settled
    assert (outcome.record.model, outcome.record.version) == known


def test_job_step_stays_with_the_worker_after_a_crash() -> None:
    ledger = Ledger("last")
    assert retry_or_fail(ledger, message(is_step=True)) is None
    assert ledger.settled == []


def test_judged_message_stays_without_redis() -> None:
    assert retry_or_fail(Ledger(redis.ConnectionError()), message()) is None


def test_spared_message_is_withdrawn_uncharged() -> None:
    reservations = Reservations()
    assert return_uncharged(reservations, [message()])
    assert reservations.withdrawn == [("tag a", "a")]


def test_spared_message_stays_without_redis() -> None:
    assert not return_uncharged(Reservations(redis.ConnectionError()), [message()])
