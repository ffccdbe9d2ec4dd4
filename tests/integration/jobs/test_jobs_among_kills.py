"""Processes are killed at random while a job runs; its output is what a script would make."""

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tasks.jobs.job import Job
from tasks.ledger import keys
from tests.integration.jobs.job_harness import JobHarness
from tests.support.bulk_stack import computing_jobs
from tests.support.models import Plodding
from tests.support.stack import LiveStack, until

ROWS = 300_000
STRIKES = 14
PAUSE = 0.2, 1.5
"""Seconds between two strikes, at least and at most."""
WHOLE = 0.7
"""How often all processes are there again before the next one is struck."""
STARTED = "redis", "api", "bulk"
PROCESSES = 6
"""These, the fork server, and two that compute."""


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[JobHarness]:
    (files := tmp_path / "files").mkdir()
    (home := tmp_path / "home").mkdir()
    with computing_jobs(home, Plodding, PREDICTQ_VISIBILITY_TIMEOUT="3") as stack:
        yield JobHarness(stack, files)


@pytest.mark.slow
def test_output_after_kills_equals_that_of_a_script(harness: JobHarness) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    source, values = harness.numbers(ROWS)
    job = harness.submit(harness.order("plodding", source))
    killed = [*kill_at_random(harness, job, random.Random(seed))]
    print(f"killed {killed}")
    until(lambda: look(harness, job).has_ended, "the end of the job", 60)
    job = harness.jobs.get(job.id)
    assert (job.status, job.counts.succeeded, job.counts.failed) == ("completed", ROWS, 0), job
    assert len(killed) > STRIKES // 2
    assert harness.predictions(job) == (2 * values[:, 0]).tolist()
    check_nothing_is_left(harness, job)


def kill_at_random(harness: JobHarness, job: Job, chance: random.Random) -> Iterator[str]:
    """Kill processes at random while the job runs; return what was killed."""
    for _ in range(STRIKES):
        if chance.random() < WHOLE:
            until(lambda: look(harness, job) and len(processes(harness.stack)) == PROCESSES, "all")
        time.sleep(chance.uniform(*PAUSE))  # a random moment, whatever the state of the job
        if look(harness, job).has_ended:
            return
        found = processes(harness.stack)
        name = chance.choice(sorted(found))
        with suppress(psutil.NoSuchProcess):  # it has just ended with its fork server
            found[name].kill()
        until(
            lambda n=name: n not in STARTED or not harness.stack.is_running(n),
            f"the death of {name}",
        )
        yield name


def look(harness: JobHarness, job: Job) -> Job:
    """Restart dead processes, as `up` does; return the job, whose counts must be consistent."""
    if not harness.stack.is_running("redis"):
        harness.stack.start("redis")
    for name in STARTED:
        if not harness.stack.is_running(name):
            harness.stack.launch(name)
    now = harness.jobs.get(job.id)
    assert now.status != "failed", now
    assert now.counts.total == now.counts.succeeded + now.counts.pending + now.counts.running
    assert now.status in ("finalizing", "completed") or not Path(job.output.uri).exists()
    return now


def processes(stack: LiveStack) -> dict[str, psutil.Process]:
    """All present processes that may be killed."""
    found = {name: psutil.Process(stack.pid(name)) for name in STARTED}
    with suppress(psutil.NoSuchProcess):
        for server in found["bulk"].children():
            found["fork server"] = server
            found |= {f"pool {n}": process for n, process in enumerate(server.children())}
    return found


def check_nothing_is_left(harness: JobHarness, job: Job) -> None:
    """Assert that there is no partial file, and no message or reservation in Redis."""
    own = harness.jobs.directory(job.id)
    kept = {own.errors, own.claims}
    until(lambda: {*own.path.iterdir()} == kept, f"the end of what is in {own.path}")
    assert {path.name for path in harness.directory.iterdir()} == {"in.parquet", "in.out.parquet"}
    flying = f"{keys.JOB}{job.id}:flying"
    lists = "bulk", flying, keys.RESERVED, keys.DUE, keys.ATTEMPTS
    until(lambda: not harness.client.exists(*lists), "nothing is held")
