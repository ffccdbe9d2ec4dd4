"""Steps of batch jobs that are taken, lost, late or failed, of jobs that stop and resume."""

import msgspec
import pytest

from tasks.jobs.job import JobError
from tasks.jobs.ledger import Begun
from tasks.ledger import keys
from tasks.ledger.pauses.pauses import Pauses
from tasks.ledger.queue.workers import Workers
from telemetry.errors import VersionPaused
from tests.integration.ledger.jobs.job_worker import BROKEN, EXPECTED, ManualWorker


def finalizing(worker: ManualWorker) -> Begun:
    """A job of one chunk whose finalize step a worker holds; returns that step."""
    worker.submit("a")
    worker.validate("a", 1)
    worker.settle(worker.begin("a", "0"))
    return worker.begin("a", "finalize")


def test_jobs_are_validated_in_order_of_submission(worker: ManualWorker) -> None:
    worker.submit("a", "b", "c")
    assert worker.waiting() == ["a.validate", "b.validate", "c.validate"]
    worker.validate("a", 3)
    # The first chunk goes ahead of other jobs, so that a small job ends soon.
    assert worker.waiting() == ["a.0", "b.validate", "c.validate", "a.1"]


def test_processes_that_come_later_get_chunks_of_their_own(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.validate("a", 20)
    assert len(worker.waiting()) == 2
    told = {"processes": 3, "queues": ["bulk"], "name": "w"}
    Workers(worker.client).heartbeat("w", told)
    worker.settle(worker.begin("a", "0"))
    assert len(worker.waiting()) == 6
    Workers(worker.client).farewell("w")
    worker.settle(worker.begin("a", "1"))
    assert len(worker.waiting()) == 5


def test_rows_that_are_computed_are_counted(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.validate("a", 3)
    first = worker.begin("a", "0")
    assert (worker.look("a").counts.running, worker.look("a").counts.pending) == (10, 20)
    worker.settle(first, failed=4)
    counts = worker.look("a").counts
    assert (counts.succeeded, counts.failed, counts.running, counts.pending) == (6, 4, 0, 20)


def test_job_eta_is_that_of_validation_until_a_chunk_is_settled(
    worker: ManualWorker,
) -> None:
    worker.submit("a")
    assert worker.look("a").eta_seconds is None
    worker.validate("a", 4)
    assert worker.look("a").eta_seconds == EXPECTED
    first = worker.begin("a", "0")
    assert worker.look("a").eta_seconds == EXPECTED
    worker.settle(first)
    measured = worker.look("a")
    assert measured.rows_per_second
    assert measured.eta_seconds == 30 / measured.rows_per_second
    worker.ledger.cancel("a")
    assert worker.look("a").eta_seconds is None
    worker.ledger.resume("a")
    assert worker.look("a").eta_seconds == EXPECTED * 3 / 4


def test_validation_of_two_workers_counts_once(worker: ManualWorker) -> None:
    worker.submit("a")
    frozen = worker.begin("a", "validate")
    worker.lose(frozen)
    worker.plan(worker.begin("a", "validate"), 3, name="second")
    worker.plan(frozen, 5, name="first")
    facts = worker.begin("a", "0").facts
    assert worker.look("a").chunks == 3
    assert facts
    assert facts.plan == "second"


def test_lost_step_does_not_end_its_job(worker: ManualWorker) -> None:
    late = finalizing(worker)
    worker.lose(late)
    assert worker.ledger.conclude(late, BROKEN) == "finalizing"
    assert worker.status("a") == "finalizing"
    assert worker.ledger.conclude(worker.begin("a", "finalize"), None) == "completed"
    assert worker.status("a") == "completed"
    assert worker.ledger.conclude(late, None) == "completed"  # a completed job stays completed


def test_output_of_the_last_writer_stands(worker: ManualWorker) -> None:
    late = finalizing(worker)
    worker.lose(late)
    assert worker.ledger.conclude(late, None, "too soon") == "finalizing"
    assert worker.look("a").output.fingerprint is None
    assert worker.ledger.conclude(worker.begin("a", "finalize"), None, "first") == "completed"
    assert worker.look("a").output.fingerprint == "first"
    worker.ledger.conclude(late, BROKEN)
    assert worker.look("a").output.fingerprint == "first"
    assert worker.ledger.conclude(late, None, "second") == "completed"
    assert worker.look("a").output.fingerprint == "second"


def test_job_that_expires_while_it_is_finalized_keeps_its_parts(worker: ManualWorker) -> None:
    begun = finalizing(worker)
    worker.outdate("a")
    worker.ledger.sweep("a")
    assert worker.ledger.conclude(begun, None) == "expired"
    assert worker.status("a") == "expired"
    assert worker.ledger.resume("a")
    assert worker.ledger.conclude(worker.begin("a", "finalize"), None) == "completed"


def test_resumed_job_is_not_ended_by_an_earlier_error(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.validate("a", 3)
    first, second = worker.begin("a", "0"), worker.begin("a", "1")
    worker.ledger.conclude(first, BROKEN)
    assert worker.status("a") == "failed"
    assert worker.ledger.resume("a")
    worker.ledger.conclude(second, BROKEN)
    assert worker.status("a") == "queued"
    assert sorted(worker.waiting()) == ["a.0", "a.1"]
    again = [worker.begin("a", step) for step in ("0", "1")]
    assert [begun.attempt for begun in again] == [1, 1]
    worker.ledger.conclude(again[0], BROKEN)
    assert worker.status("a") == "failed"


def test_resumed_job_has_no_times_of_later_states(worker: ManualWorker) -> None:
    worker.ledger.conclude(finalizing(worker), BROKEN)
    before = worker.look("a")
    assert before.running_at
    assert before.finalizing_at
    assert worker.ledger.resume("a")
    job = worker.look("a")
    assert (job.status, job.running_at, job.ended_at) == ("finalizing", None, None)
    assert before.ended_at
    assert job.queued_at
    assert job.finalizing_at
    assert before.ended_at < job.queued_at <= job.finalizing_at


def test_paused_version_takes_no_jobs(worker: ManualWorker) -> None:
    worker.submit("before")
    pauses = Pauses(worker.client)
    pauses.pause("m:1", "until Monday")
    with pytest.raises(VersionPaused, match="m:1 is paused: until Monday") as refused:
        worker.submit("a")
    assert refused.value.extra == {"retry_after": 1}
    assert worker.ledger.job("a") is None
    assert worker.waiting() == ["before.validate"]
    worker.validate("before", 1)
    pauses.resume("m:1")
    worker.submit("a")
    assert worker.status("a") == "validating"


def test_job_that_takes_too_long_expires(worker: ManualWorker) -> None:
    worker.submit("a", "b")
    worker.outdate("b")
    assert not worker.ledger.sweep("a")
    assert not worker.ledger.sweep("b")
    assert (worker.status("a"), worker.status("b")) == ("validating", "expired")
    assert worker.waiting() == ["a.validate"]
    assert not worker.ledger.sweep("b")  # it is kept until it expires
    worker.outdate("b")
    assert worker.ledger.sweep("b")
    assert worker.ledger.job("b") is None
    assert worker.ledger.latest(9) == ["a"]
    assert not [key for key in worker.client.scan_iter() if key.startswith(b"predictq:job:b")]


def test_unreadable_job_does_not_block_others(worker: ManualWorker) -> None:
    worker.submit("a", "b")
    worker.client.hset(f"{keys.JOB}a", "report", b'{"errors": 7}')
    unreadable, other = worker.ledger.jobs(["a", "b"])
    assert unreadable is None
    assert other
    worker.outdate("a")
    worker.ledger.sweep("a")
    worker.outdate("a")
    assert worker.ledger.sweep("a")


def test_purged_job_is_cancelled_at_once(worker: ManualWorker) -> None:
    worker.submit("a", "b")
    worker.ledger.cancel("b")
    worker.validate("a", 4)
    worker.client.delete("bulk")  # what `celery purge` does
    worker.ledger.cancel("a")
    assert (worker.status("a"), worker.status("b")) == ("cancelled", "cancelled")


def test_cancelled_job_takes_each_of_its_messages_from_the_counts(worker: ManualWorker) -> None:
    worker.submit("a", "b")
    twice, message = worker.client.lindex("bulk", -1), worker.client.lindex("bulk", 0)
    counts = keys.QUEUED + "bulk"
    worker.client.lpush("bulk", twice)
    worker.client.hincrby(counts, "rows", 1)
    worker.client.hincrby(counts, "bytes", len(twice))
    worker.ledger.cancel("a")
    assert worker.waiting() == ["b.validate"]
    assert worker.client.hmget(counts, "rows", "bytes") == [b"1", b"%d" % len(message)]


def test_cancelling_job_ends_once_its_messages_are_purged(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.validate("a", 4)
    begun = worker.begin("a", "0")
    worker.ledger.cancel("a")
    worker.ledger.cancel("a")
    assert worker.status("a") == "cancelling"
    worker.lose(begun)
    worker.client.delete("bulk")
    worker.ledger.cancel("a")
    assert worker.status("a") == "cancelled"


def test_purged_job_can_be_resumed(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.validate("a", 4)
    held = worker.begin("a", "0")
    assert not worker.ledger.resume("a")
    worker.client.delete("bulk")
    assert worker.ledger.resume("a")
    assert worker.waiting() == ["a.1"]
    worker.settle(held)
    for step in ("1", "2", "3"):
        worker.settle(worker.begin("a", step))
    assert worker.ledger.conclude(worker.begin("a", "finalize"), None) == "completed"


def test_resume_is_idempotent(worker: ManualWorker) -> None:
    """The reply to the first call may have been lost."""
    worker.submit("a")
    worker.validate("a", 1)
    worker.ledger.cancel("a")
    assert worker.status("a") == "cancelled"
    for _ in range(2):
        assert worker.ledger.resume("a")
        assert worker.waiting() == ["a.0"]
    worker.settle(worker.begin("a", "0"))
    assert worker.ledger.conclude(worker.begin("a", "finalize"), None)
    assert worker.ledger.resume("a")
    assert worker.status("a") == "completed"


def test_cancelling_job_can_be_resumed(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.validate("a", 2)
    held = worker.begin("a", "0")
    worker.ledger.cancel("a")
    assert worker.ledger.resume("a")
    assert worker.waiting() == ["a.1"]
    worker.settle(held)
    assert worker.status("a") == "queued"
    assert worker.look("a").counts == msgspec.structs.replace(
        worker.look("a").counts, succeeded=10, pending=10, running=0
    )


def test_too_many_failures_stay_too_many(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.validate("a", 1, most_failures=3)
    worker.settle(worker.begin("a", "0"), failed=4)
    assert worker.look("a").error == JobError(
        "too_many_failures", "More rows failed than the job allows."
    )
    assert not worker.ledger.resume("a")
    assert worker.status("a") == "failed"


def test_job_without_a_limit_may_have_any_number_of_bad_rows(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.validate("a", 2)
    job = f"{keys.JOB}a"
    assert not worker.client.hexists(job, "most_failures")
    worker.settle(worker.begin("a", "0"), failed=10)
    worker.client.hset(job, "most_failures", -1)  # as earlier releases stored it
    worker.settle(worker.begin("a", "1"), failed=10)
    assert worker.status("a") == "finalizing"
