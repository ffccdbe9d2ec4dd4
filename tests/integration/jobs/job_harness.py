"""Files to score, the output that a plain script makes of them, and the jobs that score them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from tasks.ids import Ids
from tasks.jobs.gateway import JobGateway
from tasks.jobs.job import FileRef, Job, JobRequest
from tasks.jobs.ledger import JobLedger, Part
from tasks.ledger.ledger import connect
from tasks.ledger.watcher import Watcher
from tasks.settings import Settings
from tests.support.stack import TEST_TIMEOUT, LiveStack, until


class JobHarness:
    """The batch jobs of one stack, and a directory for their files."""

    def __init__(self, stack: LiveStack, directory: Path, roots: str = "") -> None:
        self.stack = stack
        self.directory = directory
        self.client = connect(stack.redis_url)
        roots = roots or str(directory.parent)
        settings = Settings(home=stack.home, redis_url=stack.redis_url, batch_roots=roots)
        self.jobs = JobGateway(self.client, Watcher(self.client), Ids(b"k" * 32), settings)
        self._ledger = JobLedger(self.client, settings)

    def numbers(self, rows: int, columns: int = 2, name: str = "in") -> tuple[Path, Any]:
        """A Parquet file of random numbers, and the numbers."""
        values = np.random.default_rng(rows).normal(size=(rows, columns))
        return self.parquet(values, name), values

    def parquet(self, values: Any, name: str = "in", group: int = 1000) -> Path:
        """A Parquet file of these numbers."""
        path = self.directory / f"{name}.parquet"
        table = pa.table({f"x{index}": column for index, column in enumerate(values.T)})
        pq.write_table(table, path, row_group_size=group)
        return path

    def order(self, model: str, source: Path, **fields: Any) -> JobRequest:
        """A job request whose output lies beside the input."""
        fields.setdefault("output", FileRef(uri=str(source.with_suffix(".out.parquet"))))
        return JobRequest(model=model, version=1, input=FileRef(uri=str(source)), **fields)

    def submit(self, order: JobRequest) -> Job:
        """Submit a job and return it."""
        job_id, _ = self.jobs.new()
        return self.jobs.create(job_id, order)

    def run(self, model: str, source: Path, **fields: Any) -> Job:
        """Submit a job and return it once it has ended."""
        return self.ended(self.submit(self.order(model, source, **fields)))

    def ended(self, job: Job, within: float = TEST_TIMEOUT) -> Job:
        """Wait until a job has ended and return it."""
        job = self.jobs.wait(job.id, within)
        assert job.has_ended, f"{job}\n{self.stack.logs()}"
        return job

    def reaches(self, job: Job, status: str) -> Job:
        """Wait until a job has this status and return it."""
        return until(
            lambda: (now := self.jobs.get(job.id)).status == status and now, f"{status} of {job}"
        )

    def parts(self, job: Job) -> dict[int, Part]:
        """The results of the settled chunks."""
        return self._ledger.parts(job.id)

    def predictions(self, job: Job) -> list[Any]:
        """The predictions in the output."""
        read = pc.read_csv if job.output.format == "csv" else pq.read_table
        return read(self.jobs.output(job.id))["prediction"].to_pylist()

    def errors(self, job: Job) -> Sequence[str]:
        """The lines of the errors file."""
        texts = [path.read_text() for path in self.jobs.errors(job.id)]
        return "".join(texts).splitlines()
