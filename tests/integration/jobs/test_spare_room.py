"""Jobs and uploads leave room on the disk: they end before it is full, and all else goes on."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tasks.jobs.job import FileRef, Job
from tests.integration.jobs.job_harness import Room
from tests.integration.jobs.running_job import ROWS, begun, check, put_together
from tests.support.bulk_stack import computing_jobs
from tests.support.disk_filler import Ballast
from tests.support.models import Doubling, Plodding
from tests.support.stack import LiveStack, until

pytestmark = pytest.mark.slow

FORM = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ndoubling\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="rows.csv"\r\n\r\nx0,x1\n'
)
MANY = b"1.5,0\n" * 2**18


@pytest.fixture(scope="module")
def ballast(tmp_path_factory: pytest.TempPathFactory) -> Ballast:
    return Ballast(tmp_path_factory.mktemp("ballast"))


@pytest.fixture(scope="module")
def spared(tmp_path_factory: pytest.TempPathFactory, ballast: Ballast) -> Iterator[LiveStack]:
    home, bound = tmp_path_factory.mktemp("spared"), str(ballast.bound)
    with computing_jobs(home, Doubling, Plodding, PREDICTQ_SPARE_BYTES=bound) as stack:
        yield stack


@pytest.fixture
def room(spared: LiveStack, tmp_path: Path) -> Room:
    return Room(spared, tmp_path)


def refused(room: Room, job: Job) -> Job:
    """A job that has ended for want of room, while single predictions are answered."""
    job = room.ended(job)
    assert job.error, job
    assert (job.status, job.error.code) == ("failed", "output_unwritable")
    assert "MiB of its disk must stay free" in job.error.message
    assert [path.name for path in room.directory.iterdir()] == ["in.parquet"]
    assert room.stack.predict("doubling", [4.0, 0.0]) == [8.0]
    return job


def test_a_job_that_is_computed(room: Room, ballast: Ballast) -> None:
    job, values = begun(room)
    with ballast:
        assert 0 < refused(room, job).counts.succeeded < ROWS
    check(room, room.jobs.resume(job.id), values)


def test_a_job_that_is_validated(room: Room, ballast: Ballast) -> None:
    source, values = room.numbers(ROWS)
    with ballast:
        job = refused(room, room.submit(room.order("doubling", source)))
        assert job.counts.total == 0
    check(room, room.jobs.resume(job.id), values)


def test_a_job_that_is_put_together(room: Room, ballast: Ballast) -> None:
    output = FileRef(uri=str(room.directory / "out.csv"), format="csv")
    job, values = begun(room, least=ROWS // 4, output=output)
    go_on = put_together(room, job)
    with ballast:
        go_on()
        assert refused(room, job).counts.succeeded == ROWS
    check(room, room.jobs.resume(job.id), values)


def test_an_upload(room: Room, ballast: Ballast) -> None:
    jobs = room.stack.home / "jobs"
    before = {*jobs.glob("*/")}

    def uploaded() -> list[int]:
        return [path.stat().st_size for path in jobs.glob("*/input.csv")]

    with ExitStack() as stack:

        def pieces() -> Iterator[bytes]:
            yield FORM + MANY
            until(uploaded, "the beginning of a file")
            stack.enter_context(ballast)
            for _ in range(100):
                yield MANY
            yield b"\r\n--b--\r\n"

        headers = {"content-type": "multipart/form-data; boundary=b"}
        answer = room.stack.http.post("/predict/batch", content=pieces(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (507, "disk_full"), answer.text
        assert "MiB of its disk must stay free" in answer.json()["detail"]
        assert {*jobs.glob("*/")} == before
        assert room.stack.predict("doubling", [4.0, 0.0]) == [8.0]
