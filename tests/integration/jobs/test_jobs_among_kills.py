"""Any process is killed at any moment while a job runs: its output is what a script would make."""

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tasks.jobs.job import Job
from tasks.ledger import keys
from tests.integration.jobs.job_harness import Room
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
def room(tmp_path: Path) -> Iterator[Room]:
    (files := tmp_path / "files").mkdir()
    (home := tmp_path / "home").mkdir()
    with computing_jobs(home, Plodding, PREDICTQ_VISIBILITY_TIMEOUT="3") as stack:
        yield Room(stack, files)


@pytest.mark.slow
def test_the_output_is_what_a_script_would_make(room: Room) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    source, values = room.numbers(ROWS)
    job = room.submit(room.order("plodding", source))
    struck = [*strikes(room, job, random.Random(seed))]
    print(f"struck {struck}")
    until(lambda: look(room, job).has_ended, "the end of the job", 60)
    job = room.jobs.get(job.id)
    assert (job.status, job.counts.succeeded, job.counts.failed) == ("completed", ROWS, 0), job
    assert len(struck) > STRIKES // 2
    assert room.predictions(job) == (2 * values[:, 0]).tolist()
    check_nothing_is_left(room, job)


def strikes(room: Room, job: Job, chance: random.Random) -> Iterator[str]:
    """What was killed, one after the other, while the job ran."""
    for _ in range(STRIKES):
        if chance.random() < WHOLE:
            until(lambda: look(room, job) and len(processes(room.stack)) == PROCESSES, "all")
        time.sleep(chance.uniform(*PAUSE))  # the moment is chance, and waits for nothing
        if look(room, job).has_ended:
            return
        found = processes(room.stack)
        name = chance.choice(sorted(found))
        with suppress(psutil.NoSuchProcess):  # it ended with its server just now
            found[name].kill()
        until(lambda n=name: n not in STARTED or not room.stack.lives(n), f"the death of {name}")
        yield name


def look(room: Room, job: Job) -> Job:
    """Start again what has died, as `up` does; then the job, which is never half of anything."""
    if not room.stack.lives("redis"):
        room.stack.start("redis")
    for name in STARTED:
        if not room.stack.lives(name):
            room.stack.launch(name)
    now = room.jobs.get(job.id)
    assert now.status != "failed", now
    assert now.counts.total == now.counts.succeeded + now.counts.pending + now.counts.running
    assert now.status in ("finalizing", "completed") or not Path(job.output.uri).exists()
    return now


def processes(stack: LiveStack) -> dict[str, psutil.Process]:
    """Those that are struck, as many as there are."""
    found = {name: psutil.Process(stack.pid(name)) for name in STARTED}
    with suppress(psutil.NoSuchProcess):
        for server in found["bulk"].children():
            found["fork server"] = server
            found |= {f"pool {n}": process for n, process in enumerate(server.children())}
    return found


def check_nothing_is_left(room: Room, job: Job) -> None:
    """No half file, and nothing in Redis that somebody is to do."""
    own = room.jobs.directory(job.id)
    kept = {own.errors, own.claims}
    until(lambda: {*own.path.iterdir()} == kept, f"the end of what is in {own.path}")
    assert {path.name for path in room.directory.iterdir()} == {"in.parquet", "in.out.parquet"}
    flying = f"{keys.JOB}{job.id}:flying"
    lists = "bulk", flying, keys.RESERVED, keys.DUE, keys.ATTEMPTS
    until(lambda: not room.client.exists(*lists), "nothing is held")
