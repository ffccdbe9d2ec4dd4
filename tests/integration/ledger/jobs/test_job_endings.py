"""What ends a job, or does not; and the rate by which its end is estimated."""

import pytest

from tasks.ledger import keys
from tasks.messages import Idempotency
from tests.integration.ledger.jobs.job_worker import BROKEN, ORDER, ManualWorker


def test_cancelling_changes_no_job_that_has_ended_or_does_not_exist(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.ledger.conclude(worker.begin("a", "validate"), BROKEN)
    worker.ledger.cancel("a")
    worker.ledger.cancel("b")
    assert worker.status("a") == "failed"
    assert worker.ledger.job("b") is None


def test_job_that_waits_for_its_last_step_is_cancelled_at_once(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.validate("a", 1)
    worker.settle(worker.begin("a", "0"))
    assert worker.status("a") == "finalizing"
    worker.ledger.cancel("a")
    assert worker.status("a") == "cancelled"


def test_job_that_is_being_cancelled_is_not_failed(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.validate("a", 2)
    begun = worker.begin("a", "0")
    worker.ledger.cancel("a")
    worker.ledger.conclude(begun, BROKEN)
    assert worker.status("a") == "cancelled"


def test_chunk_of_a_cancelled_job_is_settled_and_none_follows(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.validate("a", 3)
    begun = worker.begin("a", "0")
    worker.ledger.cancel("a")
    worker.settle(begun)
    assert (worker.status("a"), worker.waiting()) == ("cancelled", [])
    assert worker.look("a").counts.succeeded == 10


def test_step_that_is_taken_again_counts_another_attempt(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.lose(worker.begin("a", "validate"))
    again = worker.begin("a", "validate")
    assert again.attempt == 2
    worker.plan(again, 1)
    assert not worker.client.exists(keys.ATTEMPTS, keys.DUE, keys.RESERVED)


def test_job_is_validated_again_after_a_purge(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.client.delete("bulk")
    assert worker.ledger.resume("a")
    assert worker.waiting() == ["a.validate"]


def test_validation_that_a_worker_holds_is_not_queued_twice(worker: ManualWorker) -> None:
    worker.submit("a")
    begun = worker.begin("a", "validate")
    worker.ledger.cancel("a")
    assert worker.ledger.resume("a")
    assert worker.waiting() == []
    worker.plan(begun, 1)
    assert worker.waiting() == ["a.0"]


def test_change_of_a_job_is_published(worker: ManualWorker) -> None:
    worker.submit("a")
    with worker.client.pubsub(ignore_subscribe_messages=True) as heard:
        heard.subscribe(f"{keys.JOB}a")
        worker.ledger.cancel("a")
        assert next(heard.listen())["data"] == b""


def test_idempotency_key_of_a_job_expires(worker: ManualWorker) -> None:
    worker.ledger.create("a", ORDER, Idempotency("key", "same"))
    assert worker.client.ttl(f"{keys.JOB_IDEMPOTENCY}key") > 0


@pytest.mark.parametrize(("since", "kept"), [(10, 2 / 3), (30, 1 / 2)])
def test_rate_of_a_job_keeps_at_least_half_of_what_it_was(
    worker: ManualWorker, since: float, kept: float
) -> None:
    worker.submit("a")
    worker.validate("a", 2)
    begun, now = worker.begin("a", "0"), worker.client.time()[0]
    before = {"settled_at": now - since, "running_at": now - 90, "busy": 30, "drained": 60}
    worker.client.hset(f"{keys.JOB}a", mapping=before)
    worker.settle(begun, failed=4)
    busy, drained = map(float, worker.client.hmget(f"{keys.JOB}a", "busy", "drained"))
    assert busy == pytest.approx(30 * kept + since, abs=3)
    assert drained == pytest.approx(60 * kept + 10, abs=5 if since < 15 else 0.01)
