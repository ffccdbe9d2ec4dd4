"""Inputs and outputs in every format, compressed or not, with unique custom ids."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec import structs

from tasks.jobs.job import FileRef, Job
from tests.integration.jobs.job_harness import JobHarness
from tests.support.models import GUILTY


def lines(values: Any, format_: str) -> str:
    """Rows with a custom id each, in CSV or NDJSON."""
    if format_ == "csv":
        return "id,x0,x1\n" + "".join(f'"r{i}",{a!r},{b!r}\n' for i, (a, b) in enumerate(values))
    rows = [{"id": f"r{i}", "x0": a, "x1": b} for i, (a, b) in enumerate(values)]
    return "".join(json.dumps(row) + "\n" for row in rows)


def scored(harness: JobHarness, source: Path, target: str, **fields: Any) -> Job:
    output = FileRef(uri=str(harness.directory / target), format=fields.pop("output_format", None))
    return harness.run("touchy", source, output=output, id_column="id", **fields)


@pytest.mark.parametrize("format_", ["csv", "ndjson"])
@pytest.mark.parametrize("packed", [False, True])
def test_text_input_and_text_output(harness: JobHarness, format_: str, packed: bool) -> None:
    _, values = harness.numbers(20_000)
    values[17_000, 0] = GUILTY
    text = lines(values.tolist(), format_)
    source = harness.directory / f"in.{format_}{'.gz' if packed else ''}"
    source.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    job = scored(harness, source, f"out.{format_}")
    assert job.status == "completed_with_errors", job
    content = Path(job.output.uri).read_text()
    if format_ == "csv":
        rows = list(csv.DictReader(content.splitlines()))
    else:
        rows = [json.loads(line) for line in content.splitlines()]
    assert [row["id"] for row in rows] == [f"r{i}" for i in range(20_000)]
    good = [row for row in rows if row["id"] != "r17000"]
    expected = [2 * a for i, (a, _) in enumerate(values.tolist()) if i != 17_000]
    assert [float(row["prediction"]) for row in good] == expected
    (error,) = map(json.loads, harness.errors(job))
    header = format_ == "csv"
    assert (error["line"], error["custom_id"]) == (17_001 + header, "r17000")


def test_ids_of_two_rows_are_refused(harness: JobHarness) -> None:
    source = harness.directory / "in.csv"
    source.write_text("id,x0,x1\n" + "a,1,2\nb,1,2\na,1,2\n")
    job = scored(harness, source, "out.csv")
    assert job.status == "failed"
    assert job.error
    assert (job.error.code, job.error.line) == ("invalid_input", 4)


def test_column_that_the_output_cannot_hold_is_refused(harness: JobHarness) -> None:
    late = pa.array([2**60], pa.timestamp("ms"))  # a year that the JSON writer cannot format
    source = harness.directory / "in.arrow.parquet"
    pq.write_table(pa.table({"x0": [1.0], "x1": [2.0], "custom_id": late}), source)
    order = harness.order("doubling", source)
    output = FileRef(uri=str(harness.directory / "out.ndjson"), format="ndjson")
    job = harness.ended(harness.submit(structs.replace(order, output=output)))
    assert job.error
    assert (job.error.code, job.queued_at) == ("invalid_input", None)
    assert "cannot be written as ndjson" in job.error.message


def test_empty_file_is_refused(harness: JobHarness) -> None:
    source = harness.directory / "in.csv"
    source.write_text("id,x0,x1\n")
    job = scored(harness, source, "out.csv")
    assert (job.status, job.error and job.error.code) == ("failed", "invalid_input")
