"""Submits batch jobs to a running predictq with the forest, through the public API."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness.bench import Bench
from benchmarks.harness.candidates import Candidate
from benchmarks.harness.processes import Processes
from benchmarks.harness.saturation import warm
from benchmarks.harness.wire import LoadFailed
from benchmarks.jobs.watching import Memory
from predictq import Client, Job

LOOK_SECONDS = 0.05
"""Seconds between two look-ups of a job."""
JOB_TIMEOUT = 300.0
"""Seconds to wait for a job."""
WORKERS = 2


class Desk:
    """Submits files by reference; every job must complete."""

    def __init__(self, candidate: Candidate, processes: Processes, client: Client) -> None:
        self.candidate, self._processes = candidate, processes
        self._jobs = client.jobs

    def submit(self, source: Path, target: Path) -> str:
        """Submit a job that scores one file to another; returns its id."""
        return self._jobs.submit("forest", source, output=target, overwrite=True).id

    def wait(self, job_id: str) -> Job:
        """Wait until the job has completed."""
        job = self._jobs.wait(job_id, JOB_TIMEOUT)
        if job.status != "completed":
            raise LoadFailed(f"the job is {job.status}: {job.error}")
        return job

    def begun(self, job_id: str) -> None:
        """Wait until rows of a job are scored."""
        deadline = time.monotonic() + JOB_TIMEOUT
        while not self._jobs.get(job_id).counts.succeeded:
            if time.monotonic() > deadline:
                raise LoadFailed("nothing of the job is scored")
            time.sleep(LOOK_SECONDS)

    def cancel(self, job_id: str) -> bool:
        """Cancel a job, and wait for its last chunks; returns whether it had ended before."""
        had_ended = self._jobs.get(job_id).has_ended
        self._jobs.cancel(job_id)
        self._jobs.wait(job_id, JOB_TIMEOUT)
        return had_ended

    def score(self, source: Path, target: Path) -> float:
        """Score a file; returns seconds from acceptance to completion, by the server's clock."""
        return seconds(self.wait(self.submit(source, target)))

    def memory(self, source: Path, target: Path) -> int:
        """Score a file; returns the peak memory in bytes (apart, as sampling costs time)."""
        with Memory(self._processes) as memory:
            self.score(source, target)
        return memory.greatest


def seconds(job: Job) -> float:
    """Seconds that a job took; 0 if it has not ended."""
    return (job.ended_at or job.created_at) - job.created_at


@contextmanager
def desk(bench: Bench) -> Iterator[Desk]:
    """A stack with two bulk processes, which may read and write the bench's files."""
    os.environ["PREDICTQ_BATCH_ROOTS"] = str(files(bench))
    candidate = bench.predictq(workers=WORKERS)
    url = f"http://127.0.0.1:{candidate.port}"
    with candidate.running() as processes, Client(url) as client:
        warm(candidate, bench.questions)
        yield Desk(candidate, processes, client)


def files(bench: Bench) -> Path:
    """The directory of inputs and outputs."""
    directory = bench.directory / "files"
    directory.mkdir(exist_ok=True)
    return directory
