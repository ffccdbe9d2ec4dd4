"""A job's output is what a plain script would make of its input."""

from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from tasks.jobs.job import FileRef, Job
from telemetry.errors import JobConflict, JobNotFound, PlaceForbidden
from tests.integration.jobs.job_harness import JobHarness
from tests.support.models import DEADLY, GUILTY
from tests.support.stack import until


def test_job_output_equals_that_of_a_plain_script(harness: JobHarness) -> None:
    source, values = harness.numbers(30_000)
    job = harness.run("plodding", source)
    assert job.status == "completed", job
    assert harness.predictions(job) == (2 * values[:, 0]).tolist()
    assert (job.counts.total, job.counts.succeeded) == (30_000, 30_000)
    assert job.chunks
    assert job.chunks > 4
    directory = harness.jobs.directory(job.id)
    until(lambda: not directory.parts.exists(), "the end of the parts")
    assert harness.errors(job) == []


def test_rows_for_which_a_model_takes_too_much_memory_fail_alone(harness: JobHarness) -> None:
    _, values = harness.numbers(500)
    values[7, 0] = GUILTY
    job = harness.run("greedy", harness.parquet(values))
    assert (job.status, job.counts.failed) == ("completed_with_errors", 1), job
    errors = [msgspec.json.decode(line) for line in harness.errors(job)]
    assert [(e["line"], e["code"]) for e in errors] == [(8, "out_of_memory")]


def test_bad_rows_fail_alone(harness: JobHarness) -> None:
    _, values = harness.numbers(5000)
    values[[7, 4999], 0] = GUILTY
    job = harness.run("touchy", harness.parquet(values))
    assert job.status == "completed_with_errors"
    assert (job.counts.succeeded, job.counts.failed) == (4998, 2)
    expected = (2 * values[:, 0]).tolist()
    expected[7] = expected[4999] = None
    assert harness.predictions(job) == expected
    errors = [msgspec.json.decode(line) for line in harness.errors(job)]
    assert [(e["line"], e["code"]) for e in errors] == [
        (8, "model_error"),
        (5000, "model_error"),
    ]


@pytest.mark.parametrize(("value", "dry_run"), [(GUILTY, False), (1.0, True)], ids=["fails", "dry"])
def test_input_of_a_job_that_only_validates_is_closed(
    harness: JobHarness, value: float, dry_run: bool
) -> None:
    source = harness.parquet(np.full((3, 2), value))
    job = harness.run("touchy", source, dry_run=dry_run)
    assert job.status == ("completed" if dry_run else "failed")
    pool = harness.stack.pool("bulk")
    assert str(source) not in [file.path for process in pool for file in process.open_files()]


def test_rows_that_kill_are_found(harness: JobHarness) -> None:
    _, values = harness.numbers(3000)
    values[[7, 2222], 0] = DEADLY  # the first row is also computed by the validation
    job = harness.run("lethal", harness.parquet(values))
    assert job.status == "completed_with_errors", job
    expected = (2 * values[:, 0]).tolist()
    expected[7] = expected[2222] = None
    assert harness.predictions(job) == expected
    errors = [msgspec.json.decode(line) for line in harness.errors(job)]
    assert [(e["line"], e["code"]) for e in errors] == [
        (8, "worker_lost"),
        (2223, "worker_lost"),
    ]


def test_job_stops_where_too_many_rows_fail(harness: JobHarness) -> None:
    _, values = harness.numbers(5000)
    values[2000:2010, 0] = GUILTY
    job = harness.run("touchy", harness.parquet(values), error_threshold=9.0)
    assert job.status == "failed"
    assert job.error
    assert job.error.code == "too_many_failures"
    assert len(harness.errors(job)) == 10
    assert not Path(job.output.uri).exists()
    with pytest.raises(JobConflict):
        harness.jobs.resume(job.id)
    assert harness.run("touchy", harness.parquet(values), error_threshold=10.0).counts.failed == 10


def test_counts_always_sum_to_the_total(harness: JobHarness) -> None:
    source, _ = harness.numbers(40_000)
    seen = list(harness.jobs.follow(harness.submit(harness.order("plodding", source)).id))
    statuses = [job.status for job in seen]
    assert statuses[-1] == "completed"
    assert "running" in statuses
    for job in seen:
        counts = msgspec.structs.asdict(job.counts)
        assert counts.pop("total") == sum(counts.values())
        assert min(counts.values()) >= 0
    assert any(job.counts.running for job in seen)
    done = [job.counts.succeeded for job in seen]
    assert done == sorted(done)
    running = [job for job in seen if job.counts.succeeded and job.status == "running"]
    assert running
    assert all(job.eta_seconds and 0 < job.eta_seconds < 10 for job in running)


def test_cancelled_job_is_resumed_where_it_stopped(harness: JobHarness) -> None:
    source, values = harness.numbers(60_000)
    diary = harness.stack.home / "diary"
    before = len(diary.read_text().splitlines())
    job = harness.submit(harness.order("plodding", source))
    until(lambda: harness.jobs.get(job.id).counts.succeeded >= 20_000, "a third")
    harness.jobs.cancel(job.id)
    job = harness.reaches(job, "cancelled")
    assert 0 < job.counts.cancelled <= 40_000
    assert not Path(job.output.uri).exists()
    job = harness.ended(harness.jobs.resume(job.id))
    assert job.status == "completed"
    assert harness.predictions(job) == (2 * values[:, 0]).tolist()
    written = diary.read_text().splitlines()[before:]
    tried = 3 * 1000 + 2 * 100  # the first rows, by the validation
    assert 60_000 < len(written) <= 60_000 + tried
    assert harness.jobs.resume(job.id).status == "completed", "it was resumed, and has ended since"


def test_changed_input_is_refused(harness: JobHarness) -> None:
    source, _ = harness.numbers(60_000)
    job = harness.submit(harness.order("plodding", source))
    until(lambda: harness.jobs.get(job.id).counts.succeeded, "a chunk")
    pq.write_table(pq.read_table(source).slice(0, 50_000), source)
    job = harness.ended(job)
    assert (job.status, job.error and job.error.code) == ("failed", "input_changed")


def test_missing_input_fails_the_job(harness: JobHarness) -> None:
    job = harness.run("doubling", harness.directory / "none.parquet")
    assert (job.status, job.error and job.error.code) == ("failed", "input_unreadable")


def test_places_elsewhere_are_refused(harness: JobHarness) -> None:
    source, _ = harness.numbers(10)
    for uri in (
        "/etc/passwd",
        str(source.parent / "../../../../../etc/passwd"),
        "s3://b/x.parquet",
    ):
        with pytest.raises(PlaceForbidden):
            harness.submit(harness.order("doubling", Path(uri)))
    link = harness.directory / "link.parquet"
    link.symlink_to("/etc/passwd")
    with pytest.raises(PlaceForbidden):
        harness.submit(harness.order("doubling", link))
    with pytest.raises(PlaceForbidden):
        harness.submit(harness.order("doubling", source, output=FileRef(uri="/etc/out.parquet")))


def test_dry_run_reports_and_computes_nothing(harness: JobHarness) -> None:
    _, values = harness.numbers(5000)
    values[3, 0] = GUILTY
    diary = harness.stack.home / "diary"
    before = len(diary.read_text())
    job = harness.run("touchy", harness.parquet(values), dry_run=True)
    assert job.status == "completed"
    assert job.report
    assert (job.report.rows, job.report.columns) == (5000, ("x0", "x1"))
    assert [error.line for error in job.report.errors] == [4]
    computed = diary.read_text()[before:].splitlines()
    assert {*map(float, computed)} <= {*values[:1000, 0].tolist()}
    until(lambda: not [*harness.jobs.directory(job.id).path.iterdir()], "an empty directory")
    with pytest.raises(JobConflict):
        harness.jobs.output(job.id)


def test_jobs_are_listed(harness: JobHarness) -> None:
    source, _ = harness.numbers(10)
    first, second = (harness.run("doubling", source, overwrite=True) for _ in range(2))
    latest = [job.id for job in harness.jobs.latest(2)]
    assert latest == [second.id, first.id]
    assert harness.jobs.latest(1, after=second.id)[0].id == first.id
    assert harness.jobs.latest(5, status="running") == []
    with pytest.raises(JobNotFound):
        harness.jobs.get("none")


def test_small_job_overtakes_a_large_one(harness: JobHarness) -> None:
    large, _ = harness.numbers(200_000, name="large")
    small, values = harness.numbers(1000, name="small")
    slow = harness.submit(harness.order("plodding", large))
    until(lambda: harness.jobs.get(slow.id).counts.succeeded, "a chunk")
    quick = harness.run("plodding", small)
    assert harness.predictions(quick) == (2 * values[:, 0]).tolist()
    assert harness.jobs.get(slow.id).status == "running"
    harness.jobs.cancel(slow.id)
    harness.reaches(slow, "cancelled")


def test_jobs_share_the_workers(harness: JobHarness) -> None:
    source, _ = harness.numbers(120_000)
    orders = [
        harness.order(
            "plodding", source, output=FileRef(uri=str(harness.directory / f"{name}.parquet"))
        )
        for name in ("one", "other")
    ]
    jobs = [harness.submit(order) for order in orders]

    def stand() -> list[Job]:
        return sorted((harness.jobs.get(job.id) for job in jobs), key=lambda job: not job.has_ended)

    until(lambda: stand()[0].has_ended, "the end of one")
    first, other = stand()
    assert first.status == "completed", first
    assert other.counts.succeeded > 120_000 / 2
