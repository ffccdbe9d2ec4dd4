"""Attempts as earlier releases store them are read, and stored in the same form.

During a rolling upgrade workers of two releases share one Redis.
"""

import pytest

from tasks.ledger import keys
from tasks.ledger.predictions.attempts import NotStarted, Start
from tests.integration.ledger.ledger_harness import LedgerHarness


@pytest.mark.parametrize(
    ("stored", "alone", "together"),
    [
        ("1", 2, NotStarted.SUSPECT),
        ("2.5", 3, NotStarted.SUSPECT),
        ("-2.5", 3, 3),
    ],
    ids=["started", "postponed suspect", "postponed"],
)
def test_start_reads_stored_attempts(
    harness: LedgerHarness, stored: str, alone: Start, together: Start
) -> None:
    a, b = harness.reserve("a", "b")

    harness.client.hset(keys.ATTEMPTS, "a", stored)
    assert harness.ledger.start([a, b]) == [together, 1]
    harness.client.hset(keys.ATTEMPTS, "a", stored)
    assert harness.ledger.start([a]) == [alone]

    assert harness.client.hget(keys.ATTEMPTS, "a") == str(alone).encode()


@pytest.mark.parametrize(("suspect", "stored"), [(True, b"1.5"), (False, b"-1.5")])
def test_postpone_stores_attempts_and_the_tag_of_a_retry(
    harness: LedgerHarness, suspect: bool, stored: bytes
) -> None:
    batch = harness.reserve("a")
    harness.ledger.start(batch)

    assert harness.ledger.postpone(batch, suspect=suspect) == ["postponed"]

    assert harness.client.hget(keys.ATTEMPTS, "a") == stored
    assert harness.client.hkeys(keys.RESERVED) == [b"predict:01"]


@pytest.mark.parametrize("alone", [False, True])
def test_withdraw_stores_one_attempt_less(harness: LedgerHarness, alone: bool) -> None:
    batch = harness.reserve("a", "b")
    harness.client.hset(keys.ATTEMPTS, mapping={"a": "3", "b": "2.5"})

    harness.reservations.withdraw(batch, alone=alone)

    stored = harness.client.hmget(keys.ATTEMPTS, "a", "b")
    assert stored == [b"2", b"2.5"], "a message that was postponed has no start to undo"


@pytest.mark.parametrize(
    ("alone", "stored", "together"), [(True, b"0.5", NotStarted.SUSPECT), (False, None, 1)]
)
def test_withdrawn_message_runs_alone_if_a_companion_interrupted_it(
    harness: LedgerHarness, alone: bool, stored: bytes | None, together: Start
) -> None:
    batch = harness.reserve("a", "b")
    harness.ledger.start(batch)
    harness.reservations.withdraw(batch[:1], alone=alone)
    assert harness.client.hget(keys.ATTEMPTS, "a") == stored
    harness.reservations.upkeep(())
    again = [*harness.take(), *harness.reserve("c")]
    assert harness.ledger.start(again) == [together, 1]
    assert harness.ledger.start(again[:1]) == [1 if alone else 2]
