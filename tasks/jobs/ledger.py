"""What can be asked of Redis about jobs, one round trip each."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
import redis

from tasks.clocks import BACKOFF, MAX_ATTEMPTS
from tasks.jobs.job import Facts, Job, JobError, Order, Report, Status
from tasks.jobs.messages import step_id, template
from tasks.jobs.naming import Format
from tasks.jobs.reading import read_job
from tasks.ledger import keys, scripts
from tasks.ledger.heads import OPEN
from tasks.settings import Settings
from telemetry.errors import TooManyFailures

LIBRARIES = "messages", "jobs.jobs"


class Held(msgspec.Struct, frozen=True):
    """A step that a worker holds."""

    job: str
    step: str
    tag: str
    """Of its reserved message."""


class Begun(msgspec.Struct, frozen=True):
    """What a worker needs to know of a step that it begins."""

    held: Held
    attempt: int
    """From 1; more than 1 where processes died of it, or could not do it."""
    order: Order
    facts: Facts | None
    """None until the job is validated."""

    @property
    def output_format(self) -> Format:
        """The input's, where the order names none."""
        assert self.order.output  # noqa: S101 - the gateway has put one in
        assert self.facts  # noqa: S101 - what writes comes after validation
        return self.order.output.format or self.facts.format


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What validation decided."""

    facts: Facts
    report: Report
    most_failures: int | None
    """Rows that may fail; None is any number."""
    window: int
    """Chunks that fly at a time."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What a chunk came to."""

    name: str
    """Of its files in the job's directory: each attempt has names of its own."""
    succeeded: int
    failed: int


class JobLedger:
    """The single owner of what Redis knows of jobs."""

    def __init__(self, client: redis.Redis, settings: Settings) -> None:
        self.client = client
        constants = {"job_ttl": settings.job_ttl}
        self._scripts = {
            name: scripts.load(client, f"jobs.{name}", *LIBRARIES, **constants)
            for name in ("create", "begin", "plan", "settle", "conclude", "stop", "resume")
        }
        self._postpone = scripts.load(client, "postpone", "messages")

    def create(self, job_id: str, order: Order) -> bool:
        """Accept a job; False where it is there already."""
        return bool(self._run("create", job_id, _json(order), template(job_id, order)))

    def job(self, job_id: str) -> Job | None:
        """How a job stands."""
        return self.jobs([job_id])[0]

    def jobs(self, ids: Sequence[str]) -> list[Job | None]:
        """How each of these stands; None where there is none."""
        with self.client.pipeline(transaction=True) as pipe:
            for job_id in ids:
                pipe.hgetall(keys.JOB + job_id)
                pipe.hvals(_flying(job_id))
            found = pipe.execute()
        pairs = zip(ids, found[::2], found[1::2], strict=True)
        return [_read(job_id, fields, flying) for job_id, fields, flying in pairs]

    def order(self, job_id: str) -> Order | None:
        """What was asked for."""
        text = cast("bytes | None", self.client.hget(keys.JOB + job_id, "order"))
        return None if text is None else msgspec.json.decode(text, type=Order)

    def latest(self, many: int, before: str | None = None) -> list[str]:
        """Ids of the newest jobs, of those older than one; none where that one is forgotten."""
        first = 0
        if before is not None:
            rank = cast("int | None", self.client.zrevrank(keys.JOBS, before))
            if rank is None:
                return []
            first = rank + 1
        ids = cast("list[bytes]", self.client.zrevrange(keys.JOBS, first, first + many - 1))
        return [job_id.decode() for job_id in ids]

    def in_status(self, ids: Sequence[str], status: Status) -> list[str]:
        """Those of these jobs that are in one status."""
        with self.client.pipeline(transaction=False) as pipe:
            for job_id in ids:
                pipe.hget(keys.JOB + job_id, "status")
            found = pipe.execute()
        return [job_id for job_id, now in zip(ids, found, strict=True) if now == status.encode()]

    def oldest(self, many: int) -> list[str]:
        """Ids of the oldest jobs."""
        ids = cast("list[bytes]", self.client.zrange(keys.JOBS, 0, many - 1))
        return [job_id.decode() for job_id in ids]

    def begin(self, held: Held, rows: int) -> Begun | None:
        """Begin with a step; None where there is nothing to do."""
        attempt, *told = self._run("begin", *_words(held), rows)
        if not attempt:
            return None
        order, facts = told
        known = msgspec.json.decode(facts, type=Facts) if facts else None
        return Begun(held, attempt, msgspec.json.decode(order, type=Order), known)

    def plan(self, held: Held, plan: Plan, *, dry_run: bool) -> None:
        """A job is validated."""
        report, most = plan.report, plan.most_failures
        numbers = report.rows, report.chunks, -1 if most is None else most, plan.window
        documents = _json(plan.facts), _json(report)
        self._run("plan", held.job, held.tag, *documents, *numbers, int(dry_run))

    def settle(self, held: Held, part: Part) -> bool:
        """A chunk is computed; whether this was the first to say so."""
        stop = _json(JobError.of(TooManyFailures()))
        return bool(
            self._run("settle", *_words(held), _json(part), part.succeeded, part.failed, stop)
        )

    def conclude(self, held: Held, error: JobError | None) -> None:
        """A step ends its job: completed without an error, failed with one."""
        self._run("conclude", *_words(held), b"" if error is None else _json(error))

    def postpone(self, held: Held) -> bool:
        """Let a step be tried again a while later; False where this was its last attempt."""
        (answer,) = self._postpone(
            keys=[keys.RESERVED, keys.DUE, keys.ATTEMPTS, ""],
            args=[*OPEN, BACKOFF, MAX_ATTEMPTS, 0, held.tag, step_id(held.job, held.step)],
        )
        return bool(answer != b"last")

    def parts(self, job_id: str) -> dict[int, Part]:
        """Chunk → what it came to, of those that are settled, in order."""
        found = cast("dict[bytes, bytes]", self.client.hgetall(f"{keys.JOB}{job_id}:chunks"))
        parts = {int(n): msgspec.json.decode(text, type=Part) for n, text in found.items()}
        return dict(sorted(parts.items()))

    def cancel(self, job_id: str) -> bool:
        """Stop it; False where it has ended, or comes to its end right now."""
        return bool(self._run("stop", job_id, "cancelling"))

    def expire(self, job_id: str) -> bool:
        """Its time is over; False where it has ended."""
        return bool(self._run("stop", job_id, "expired"))

    def resume(self, job_id: str) -> bool:
        """Go on where it stopped; False where it had not."""
        return bool(self._run("resume", job_id))

    def forget(self, job_id: str) -> None:
        """Nothing is known of it any more."""
        own = keys.JOB + job_id
        with self.client.pipeline(transaction=True) as pipe:
            pipe.delete(own, f"{own}:chunks", f"{own}:flying")
            pipe.zrem(keys.JOBS, job_id)
            pipe.execute()

    def _run(self, name: str, *arguments: Any) -> Any:
        return self._scripts[name](keys=[], args=arguments)


def _flying(job_id: str) -> str:
    return f"{keys.JOB}{job_id}:flying"


def _words(held: Held) -> tuple[str, str, str]:
    return held.job, held.step, held.tag


def _json(value: msgspec.Struct) -> bytes:
    return msgspec.json.encode(value)


def _read(job_id: str, fields: Mapping[bytes, bytes], flying: Sequence[bytes]) -> Job | None:
    if not fields:
        return None
    return read_job(job_id, {k.decode(): v.decode() for k, v in fields.items()}, map(int, flying))
