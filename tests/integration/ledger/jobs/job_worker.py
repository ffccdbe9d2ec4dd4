"""A worker's calls to the ledger of jobs, made by a test."""

from pathlib import Path

import redis

from tasks.jobs.job import Facts, FileRef, Job, JobError, JobRequest, Report
from tasks.jobs.ledger import Begun, JobLedger, Part, Plan, ReservedStep
from tasks.ledger import keys
from tasks.ledger.queue.reservations import Reservations
from tasks.settings import Settings
from tasks.wire import decode

ORDER = JobRequest(
    model="m", version=1, input=FileRef(uri="/in.csv"), output=FileRef(uri="/out.csv")
)
EXPECTED = 60.0
"""Seconds that validation expects of any job."""
BROKEN = JobError("output_unwritable", "no room")


class ManualWorker:
    """A worker that takes and settles steps when a test tells it to."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.ledger = JobLedger(client, Settings(home=Path("/none"), redis_url="redis://none"))
        self.reservations = Reservations(client, 30, 60)

    def submit(self, *names: str, order: JobRequest = ORDER) -> None:
        for name in names:
            self.ledger.create(name, order)

    def take(self) -> ReservedStep:
        ((tag, message),) = self.reservations.reserve("bulk", 1, 256, 2**20)
        job, _, step = decode(message)["headers"]["id"].rpartition(".")
        return ReservedStep(job, step, tag)

    def begin(self, name: str, step: str) -> Begun:
        """Reserve and begin the next step, which must be this one."""
        reserved = self.take()
        assert (reserved.job, reserved.step) == (name, step)
        begun = self.ledger.begin(reserved)
        assert begun
        return begun

    def validate(self, name: str, chunks: int, most_failures: int | None = None) -> None:
        self.plan(self.begin(name, "validate"), chunks, most_failures)

    def plan(
        self, begun: Begun, chunks: int, most_failures: int | None = None, name: str = "plan"
    ) -> None:
        facts = Facts(format="csv", bytes=1, fingerprint="f", plan=name)
        rows = 10 * chunks
        report = Report(
            rows=rows, columns=(), chunks=chunks, rows_per_second=1.0, estimated_seconds=EXPECTED
        )
        plan = Plan(facts=facts, report=report, most_failures=most_failures)
        self.ledger.plan(begun.reserved, plan, dry_run=False)

    def lose(self, begun: Begun) -> None:
        """Let the reservation of a step run out, so that it returns to the queue."""
        self.reservations.release([begun.reserved.tag])
        self.reservations.upkeep(())

    def settle(self, begun: Begun, failed: int = 0) -> None:
        self.ledger.settle(begun.reserved, self.part(begun, failed))

    def part(self, begun: Begun, failed: int = 0) -> Part:
        return Part(name=begun.reserved.tag, succeeded=10 - failed, failed=failed)

    def look(self, name: str) -> Job:
        job = self.ledger.job(name)
        assert job
        return job

    def status(self, name: str) -> str:
        return self.look(name).status

    def waiting(self) -> list[str]:
        """Ids of the steps on the queue, in the order in which they will be taken."""
        messages = self.client.lrange("bulk", 0, -1)
        return [decode(message)["headers"]["id"] for message in reversed(messages)]

    def outdate(self, name: str) -> None:
        """Let the job's time run out."""
        self.client.hset(keys.JOB + name, "expires_at", "1.0")
