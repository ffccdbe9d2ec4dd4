"""Steps of batch jobs in any order: taken, lost, late, failed, of jobs that stop and go on."""

import msgspec
import pytest
import redis

from tasks.jobs.job import JobError
from tasks.jobs.ledger import Begun
from tasks.ledger import keys
from tasks.ledger.pauses.pauses import Pauses
from tasks.ledger.queue.workers import Workers
from telemetry.errors import VersionPaused
from tests.integration.ledger.jobs.job_worker import EXPECTED, Desk

BROKEN = JobError("output_unwritable", "no room")


@pytest.fixture
def desk(client: redis.Redis) -> Desk:
    return Desk(client)


def finalizing(desk: Desk) -> Begun:
    """A job of one chunk, which a worker puts together now."""
    desk.submit("a")
    desk.validate("a", 1)
    desk.settle(desk.begin("a", "0"))
    return desk.begin("a", "finalize")


def test_who_comes_first_is_validated_first(desk: Desk) -> None:
    desk.submit("a", "b", "c")
    assert desk.waiting() == ["a.validate", "b.validate", "c.validate"]
    desk.validate("a", 3)
    # The first chunk goes before, so that a small job is done soon.
    assert desk.waiting() == ["a.0", "b.validate", "c.validate", "a.1"]


def test_processes_that_come_later_get_chunks_of_their_own(desk: Desk) -> None:
    desk.submit("a")
    desk.validate("a", 20)
    assert len(desk.waiting()) == 2
    told = {"processes": 3, "queues": ["bulk"], "name": "w"}
    Workers(desk.client).heartbeat("w", told)
    desk.settle(desk.begin("a", "0"))
    assert len(desk.waiting()) == 6
    Workers(desk.client).farewell("w")
    desk.settle(desk.begin("a", "1"))
    assert len(desk.waiting()) == 5


def test_rows_that_are_computed_are_counted(desk: Desk) -> None:
    desk.submit("a")
    desk.validate("a", 3)
    first = desk.begin("a", "0")
    assert (desk.look("a").counts.running, desk.look("a").counts.pending) == (10, 20)
    desk.settle(first, failed=4)
    counts = desk.look("a").counts
    assert (counts.succeeded, counts.failed, counts.running, counts.pending) == (6, 4, 0, 20)


def test_the_time_left_is_what_validation_expects_until_a_chunk_is_settled(desk: Desk) -> None:
    desk.submit("a")
    assert desk.look("a").eta_seconds is None
    desk.validate("a", 4)
    assert desk.look("a").eta_seconds == EXPECTED
    first = desk.begin("a", "0")
    assert desk.look("a").eta_seconds == EXPECTED
    desk.settle(first)
    measured = desk.look("a")
    assert measured.rows_per_second
    assert measured.eta_seconds == 30 / measured.rows_per_second
    desk.ledger.cancel("a")
    assert desk.look("a").eta_seconds is None
    desk.ledger.resume("a")
    assert desk.look("a").eta_seconds == EXPECTED * 3 / 4


def test_of_two_who_validate_one_is_believed(desk: Desk) -> None:
    desk.submit("a")
    frozen = desk.begin("a", "validate")
    desk.lose(frozen)
    desk.plan(desk.begin("a", "validate"), 3, name="second")
    desk.plan(frozen, 5, name="first")
    facts = desk.begin("a", "0").facts
    assert desk.look("a").chunks == 3
    assert facts
    assert facts.plan == "second"


def test_one_that_has_lost_a_step_ends_nothing(desk: Desk) -> None:
    late = finalizing(desk)
    desk.lose(late)
    assert desk.ledger.conclude(late, BROKEN) == "finalizing"
    assert desk.status("a") == "finalizing"
    assert desk.ledger.conclude(desk.begin("a", "finalize"), None) == "completed"
    assert desk.status("a") == "completed"
    assert desk.ledger.conclude(late, None) == "completed"  # it is complete, whoever asks


def test_the_output_is_that_of_who_wrote_it_last(desk: Desk) -> None:
    late = finalizing(desk)
    desk.lose(late)
    assert desk.ledger.conclude(late, None, "too soon") == "finalizing"
    assert desk.look("a").output.fingerprint is None
    assert desk.ledger.conclude(desk.begin("a", "finalize"), None, "first") == "completed"
    assert desk.look("a").output.fingerprint == "first"
    desk.ledger.conclude(late, BROKEN)
    assert desk.look("a").output.fingerprint == "first"
    assert desk.ledger.conclude(late, None, "second") == "completed"
    assert desk.look("a").output.fingerprint == "second"


def test_a_job_that_expires_while_it_is_put_together_keeps_its_parts(desk: Desk) -> None:
    begun = finalizing(desk)
    desk.outdate("a")
    desk.ledger.sweep("a")
    assert desk.ledger.conclude(begun, None) == "expired"
    assert desk.status("a") == "expired"
    assert desk.ledger.resume("a")
    assert desk.ledger.conclude(desk.begin("a", "finalize"), None) == "completed"


def test_an_error_of_before_it_was_resumed_does_not_end_it_again(desk: Desk) -> None:
    desk.submit("a")
    desk.validate("a", 3)
    first, second = desk.begin("a", "0"), desk.begin("a", "1")
    desk.ledger.conclude(first, BROKEN)
    assert desk.status("a") == "failed"
    assert desk.ledger.resume("a")
    desk.ledger.conclude(second, BROKEN)
    assert desk.status("a") == "queued"
    assert sorted(desk.waiting()) == ["a.0", "a.1"]
    again = [desk.begin("a", step) for step in ("0", "1")]
    assert [begun.attempt for begun in again] == [1, 1]
    desk.ledger.conclude(again[0], BROKEN)
    assert desk.status("a") == "failed"


def test_what_lies_ahead_of_a_resumed_job_has_no_time(desk: Desk) -> None:
    desk.ledger.conclude(finalizing(desk), BROKEN)
    before = desk.look("a")
    assert before.running_at
    assert before.finalizing_at
    assert desk.ledger.resume("a")
    job = desk.look("a")
    assert (job.status, job.running_at, job.ended_at) == ("finalizing", None, None)
    assert before.ended_at
    assert job.queued_at
    assert job.finalizing_at
    assert before.ended_at < job.queued_at <= job.finalizing_at


def test_a_paused_version_takes_no_jobs(desk: Desk) -> None:
    desk.submit("before")
    pauses = Pauses(desk.client)
    pauses.pause("m:1", "until Monday")
    with pytest.raises(VersionPaused, match="m:1 is paused: until Monday") as refused:
        desk.submit("a")
    assert refused.value.extra == {"retry_after": 1}
    assert desk.ledger.job("a") is None
    assert desk.waiting() == ["before.validate"]
    desk.validate("before", 1)
    pauses.resume("m:1")
    desk.submit("a")
    assert desk.status("a") == "validating"


def test_only_what_took_too_long_ends(desk: Desk) -> None:
    desk.submit("a", "b")
    desk.outdate("b")
    assert not desk.ledger.sweep("a")
    assert not desk.ledger.sweep("b")
    assert (desk.status("a"), desk.status("b")) == ("validating", "expired")
    assert desk.waiting() == ["a.validate"]
    assert not desk.ledger.sweep("b")  # it is kept for a while
    desk.outdate("b")
    assert desk.ledger.sweep("b")
    assert desk.ledger.job("b") is None
    assert desk.ledger.latest(9) == ["a"]
    assert not [key for key in desk.client.scan_iter() if key.startswith(b"predictq:job:b")]


def test_a_job_that_cannot_be_read_is_in_nobodys_way(desk: Desk) -> None:
    desk.submit("a", "b")
    desk.client.hset(f"{keys.JOB}a", "report", b'{"errors": 7}')
    unreadable, other = desk.ledger.jobs(["a", "b"])
    assert unreadable is None
    assert other
    desk.outdate("a")
    desk.ledger.sweep("a")
    desk.outdate("a")
    assert desk.ledger.sweep("a")


def test_a_purged_job_is_cancelled_at_once(desk: Desk) -> None:
    desk.submit("a", "b")
    desk.ledger.cancel("b")
    desk.validate("a", 4)
    desk.client.delete("bulk")  # what `celery purge` does
    desk.ledger.cancel("a")
    assert (desk.status("a"), desk.status("b")) == ("cancelled", "cancelled")


def test_one_that_is_being_cancelled_ends_once_its_messages_are_purged(desk: Desk) -> None:
    desk.submit("a")
    desk.validate("a", 4)
    begun = desk.begin("a", "0")
    desk.ledger.cancel("a")
    desk.ledger.cancel("a")
    assert desk.status("a") == "cancelling"
    desk.lose(begun)
    desk.client.delete("bulk")
    desk.ledger.cancel("a")
    assert desk.status("a") == "cancelled"


def test_a_purged_job_can_be_resumed(desk: Desk) -> None:
    desk.submit("a")
    desk.validate("a", 4)
    held = desk.begin("a", "0")
    assert not desk.ledger.resume("a")
    desk.client.delete("bulk")
    assert desk.ledger.resume("a")
    assert desk.waiting() == ["a.1"]
    desk.settle(held)
    for step in ("1", "2", "3"):
        desk.settle(desk.begin("a", step))
    assert desk.ledger.conclude(desk.begin("a", "finalize"), None) == "completed"


def test_who_asks_again_is_told_that_it_goes_on(desk: Desk) -> None:
    """The answer to the first may have been lost, and what it asked for is done."""
    desk.submit("a")
    desk.validate("a", 1)
    desk.ledger.cancel("a")
    assert desk.status("a") == "cancelled"
    for _ in range(2):
        assert desk.ledger.resume("a")
        assert desk.waiting() == ["a.0"]
    desk.settle(desk.begin("a", "0"))
    assert desk.ledger.conclude(desk.begin("a", "finalize"), None)
    assert desk.ledger.resume("a")
    assert desk.status("a") == "completed"


def test_a_job_goes_on_while_it_is_being_cancelled(desk: Desk) -> None:
    desk.submit("a")
    desk.validate("a", 2)
    held = desk.begin("a", "0")
    desk.ledger.cancel("a")
    assert desk.ledger.resume("a")
    assert desk.waiting() == ["a.1"]
    desk.settle(held)
    assert desk.status("a") == "queued"
    assert desk.look("a").counts == msgspec.structs.replace(
        desk.look("a").counts, succeeded=10, pending=10, running=0
    )


def test_too_many_failures_stay_too_many(desk: Desk) -> None:
    desk.submit("a")
    desk.validate("a", 1, most_failures=3)
    desk.settle(desk.begin("a", "0"), failed=4)
    assert desk.look("a").error == JobError(
        "too_many_failures", "More rows failed than the job allows."
    )
    assert not desk.ledger.resume("a")
    assert desk.status("a") == "failed"
