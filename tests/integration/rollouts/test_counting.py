"""settle.lua counts what the versions of a split do; each sticky key errs once."""

import msgspec
import redis

from tasks.comparison.figures import ArmFigures, Comparisons
from tasks.ledger import keys
from tasks.ledger.predictions.settled import Settled
from tasks.messages import Arm
from tasks.record import Record
from telemetry.errors import InvalidFeatures, ModelError
from tests.integration.ledger.ledger_harness import PREDICTION, RECEIPT, LedgerHarness, offer


def record(harness: LedgerHarness, task_id: str, arm: Arm | None, alias: str = "a") -> Record:
    """An accepted prediction of `churn:3`, of this arm."""
    prediction = msgspec.structs.replace(PREDICTION, alias=alias, arm=arm)
    harness.ledger.accept(offer(task_id, prediction))
    found = harness.ledger.record(task_id)
    assert found
    return found


def figures(client: redis.Redis, split: str = "churn@a") -> list[ArmFigures]:
    return Comparisons(client).read(split).of(3)


def test_outcomes_and_calls_are_counted_by_share(client: redis.Redis) -> None:
    harness = LedgerHarness(client)
    ten, fifty = Arm.of(10, "ada"), Arm.of(50, None)
    slow = msgspec.structs.replace(RECEIPT, compute_ms=40.0)
    settled = [
        Settled(record(harness, "1", ten).succeeded([1], RECEIPT)),
        Settled(record(harness, "2", ten).succeeded([1], RECEIPT)),
        Settled(record(harness, "3", fifty).succeeded([1], slow)),
        Settled(record(harness, "4", fifty).failed(ModelError("no"))),
        Settled(record(harness, "5", fifty).failed(InvalidFeatures("a caller's"))),
        Settled(record(harness, "6", fifty).cancelled()),
    ]
    harness.ledger.settle("churn:3", settled)
    at_10, at_50 = figures(client)
    assert (at_10.share, at_10.answered, at_10.failed, at_10.errors, at_10.calls) == (
        10,
        2,
        0,
        0,
        1,
    )
    assert (at_50.share, at_50.answered, at_50.failed, at_50.errors, at_50.calls) == (
        50,
        2,
        1,
        1,
        1,
    )
    assert at_10.slow(0) == 0
    assert at_50.slow(10) == 1
    assert client.ttl(keys.COMPARED + "churn@a") > 0


def test_failures_of_one_sticky_key_are_one_error(client: redis.Redis) -> None:
    harness = LedgerHarness(client)
    arms = [Arm.of(10, "ada"), Arm.of(50, "ada"), Arm.of(50, "bob"), Arm.of(50, ""), Arm.of(50, "")]
    for number, arm in enumerate(arms):
        failed = record(harness, str(number), arm).failed(ModelError("no"))
        harness.ledger.settle("churn:3", [Settled(failed)])
    assert [(each.share, each.failed, each.errors) for each in figures(client)] == [
        (10, 1, 1),
        (50, 4, 3),
    ]


def test_only_the_first_outcome_counts(client: redis.Redis) -> None:
    harness = LedgerHarness(client)
    accepted = record(harness, "1", Arm(10))
    for _ in range(2):
        harness.ledger.settle("churn:3", [Settled(accepted.succeeded([1], RECEIPT))])
    assert [arm.answered for arm in figures(client)] == [1]


def test_nothing_is_written_without_a_split(client: redis.Redis) -> None:
    harness = LedgerHarness(client)
    accepted = record(harness, "1", None)
    harness.ledger.settle("churn:3", [Settled(accepted.succeeded([1], RECEIPT))])
    assert [*client.scan_iter(f"{keys.COMPARED}*")] == []


def test_path_grows_slowly_and_is_bounded(client: redis.Redis) -> None:
    comparisons = Comparisons(client)
    for answered in range(3000):
        comparisons.add_to_path("churn@a", answered, 1.5)
    path = comparisons.path("churn@a")
    assert path[0] == (0, 1.5)
    assert 100 < len(path) < 300
    comparisons.clear("churn@a")
    assert comparisons.path("churn@a") == []
