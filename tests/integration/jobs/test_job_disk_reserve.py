"""Jobs and uploads keep the disk reserve: they fail before the disk is full."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tasks.jobs.job import FileRef, Job
from tests.integration.jobs.job_harness import JobHarness
from tests.integration.jobs.running_job import ROWS, begun, check, hold_output
from tests.support.bulk_stack import computing_jobs
from tests.support.disk_filler import DiskFiller
from tests.support.models import Doubling, Plodding
from tests.support.stack import LiveStack, until

pytestmark = pytest.mark.slow

FORM = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ndoubling\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="rows.csv"\r\n\r\nx0,x1\n'
)
MANY = b"1.5,0\n" * 2**18


@pytest.fixture(scope="module")
def filler(tmp_path_factory: pytest.TempPathFactory) -> DiskFiller:
    return DiskFiller(tmp_path_factory.mktemp("filler"))


@pytest.fixture(scope="module")
def spared(tmp_path_factory: pytest.TempPathFactory, filler: DiskFiller) -> Iterator[LiveStack]:
    home, bound = tmp_path_factory.mktemp("spared"), str(filler.bound)
    with computing_jobs(home, Doubling, Plodding, PREDICTQ_SPARE_BYTES=bound) as stack:
        yield stack


@pytest.fixture
def harness(spared: LiveStack, tmp_path: Path) -> JobHarness:
    return JobHarness(spared, tmp_path)


def refused(harness: JobHarness, job: Job) -> Job:
    """A job that failed because of the disk reserve, while single predictions are answered."""
    job = harness.ended(job)
    assert job.error, job
    assert (job.status, job.error.code) == ("failed", "output_unwritable")
    assert "MiB of its disk must stay free" in job.error.message
    assert [path.name for path in harness.directory.iterdir()] == ["in.parquet"]
    assert harness.stack.predict("doubling", [4.0, 0.0]) == [8.0]
    return job


def test_disk_reserve_while_a_chunk_is_scored(harness: JobHarness, filler: DiskFiller) -> None:
    job, values = begun(harness)
    with filler:
        assert 0 < refused(harness, job).counts.succeeded < ROWS
    check(harness, harness.jobs.resume(job.id), values)


def test_disk_reserve_while_a_job_is_validated(harness: JobHarness, filler: DiskFiller) -> None:
    source, values = harness.numbers(ROWS)
    with filler:
        job = refused(harness, harness.submit(harness.order("doubling", source)))
        assert job.counts.total == 0
    check(harness, harness.jobs.resume(job.id), values)


def test_disk_reserve_while_a_job_is_finalized(harness: JobHarness, filler: DiskFiller) -> None:
    output = FileRef(uri=str(harness.directory / "out.csv"), format="csv")
    job, values = begun(harness, least=ROWS // 4, output=output)
    continue_writing = hold_output(harness, job)
    with filler:
        continue_writing()
        assert refused(harness, job).counts.succeeded == ROWS
    check(harness, harness.jobs.resume(job.id), values)


def test_disk_reserve_during_an_upload(harness: JobHarness, filler: DiskFiller) -> None:
    jobs = harness.stack.home / "jobs"
    before = {*jobs.glob("*/")}

    def uploaded() -> list[int]:
        return [path.stat().st_size for path in jobs.glob("*/input.csv")]

    with ExitStack() as stack:

        def pieces() -> Iterator[bytes]:
            yield FORM + MANY
            until(uploaded, "the beginning of a file")
            stack.enter_context(filler)
            for _ in range(100):
                yield MANY
            yield b"\r\n--b--\r\n"

        headers = {"content-type": "multipart/form-data; boundary=b"}
        answer = harness.stack.http.post("/predict/batch", content=pieces(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (507, "disk_full"), answer.text
        assert "MiB of its disk must stay free" in answer.json()["detail"]
        assert {*jobs.glob("*/")} == before
        assert harness.stack.predict("doubling", [4.0, 0.0]) == [8.0]
