"""`predictq batch` and the client's batch jobs on a real stack."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from predictq import Client, InvalidRequest, WaitTimeout
from stack.process import ROOT
from tests.integration.jobs.job_harness import JobHarness
from tests.support.models import GUILTY, register
from tests.support.stack import TEST_TIMEOUT, LiveStack, until


@pytest.fixture
def client(live: LiveStack) -> Iterator[Client]:
    with Client(live.url) as client:
        yield client


def start(live: LiveStack, *words: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "batch", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "client"), "PREDICTQ_URL": live.url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def batch(live: LiveStack, *words: Any, code: int = 0) -> str:
    """Run `predictq batch` and return stdout followed by stderr."""
    process = start(live, *words)
    printed = "".join(process.communicate(timeout=TEST_TIMEOUT))
    assert process.returncode == code, f"{printed}\n{live.logs()}"
    return printed


def test_batch_command_scores_a_file_in_place(live: LiveStack, harness: JobHarness) -> None:
    source, values = harness.numbers(5000)
    target = harness.directory / "out.parquet"
    printed = batch(live, "touchy", source, target, "--include-input")
    assert printed.startswith("scored 5,000 rows in ")
    assert pq.read_table(target)["prediction"].to_pylist() == (2 * values[:, 0]).tolist()
    assert pq.read_table(target)["x1"].to_pylist() == values[:, 1].tolist()
    own = harness.jobs.directory(harness.jobs.latest(1)[0].id).path
    assert list(own.rglob("input*")) == [], "the input was copied"


def test_batch_command_uploads_a_file_and_fetches_the_output(
    live: LiveStack, harness: JobHarness
) -> None:
    source, values = harness.numbers(3000)
    target = harness.directory / "out.csv"
    batch(live, "touchy", source, target, "--upload")
    assert pd.read_csv(target)["prediction"].tolist() == (2 * values[:, 0]).tolist()


def test_rows_that_fail_are_told(live: LiveStack, harness: JobHarness) -> None:
    source = harness.directory / "in.csv"
    source.write_text("id,x0,x1\na,1,0\nb,x,0\nc,3,0\n")
    target = harness.directory / "out.ndjson"
    printed = batch(live, "touchy", source, target, "--id-column", "id")
    assert "1 rows failed:\n  line 3: " in printed
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [row["id"] for row in rows if row["prediction"] is not None] == ["a", "c"]
    job = batch(live, "list").splitlines()[1].split()[0]
    assert json.loads(batch(live, "errors", job))["custom_id"] == "b"
    assert "status    completed_with_errors" in batch(live, "status", job)


def test_batch_command_dry_run(live: LiveStack, harness: JobHarness) -> None:
    source, _ = harness.numbers(100)
    assert batch(live, "touchy", source, "--dry-run").startswith("100 rows\ncolumns: x0, x1\n")
    printed = batch(live, "touchy", harness.directory / "none.csv", "--dry-run", code=1)
    assert printed.startswith("error: ")


def test_batch_command_reports_a_forbidden_path(live: LiveStack) -> None:
    assert "outside the allowed paths" in batch(
        live, "touchy", "/etc/passwd", "/etc/out.csv", code=1
    )


def test_ctrl_c_detaches_and_a_job_is_cancelled_and_resumed(
    live: LiveStack, harness: JobHarness
) -> None:
    source = harness.parquet(np.ones((250_000, 2)))
    target = harness.directory / "out.parquet"
    process = start(live, "plodding", source, target)
    job = until(
        lambda: next((j for j in harness.jobs.latest(1) if j.input.uri == str(source)), None),
        "a job",
    )
    harness.reaches(job, "running")
    process.send_signal(signal.SIGINT)
    assert "predictq batch status" in process.communicate(timeout=TEST_TIMEOUT)[1]
    assert process.returncode == 130
    assert "cancel" in batch(live, "cancel", job.id)
    until(lambda: harness.jobs.get(job.id).has_ended, "its end")
    batch(live, "resume", job.id)
    assert pq.read_table(target).num_rows == 250_000


def test_client_jobs_score_a_frame_and_an_iterator(client: Client, harness: JobHarness) -> None:
    values = np.random.default_rng(0).normal(size=(500, 2))
    frame = pd.DataFrame(values, columns=["x0", "x1"])
    for rows in (frame, ({"x0": a, "x1": b} for a, b in values.tolist())):
        job = client.jobs.wait(client.jobs.submit("touchy", rows, output_format="csv").id)
        assert job.status == "completed", job
        client.jobs.download(job.id, harness.directory / "out.csv")
        scored = pd.read_csv(harness.directory / "out.csv")["prediction"].tolist()
        assert scored == (2 * values[:, 0]).tolist()


def test_rows_as_lists_go_by_the_columns_of_the_model(client: Client, harness: JobHarness) -> None:
    pipeline = make_pipeline(StandardScaler(), LinearRegression())
    frame = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [0.0, 5.0, 1.0]})
    pipeline.fit(frame, 10 * frame["a"] + frame["b"])
    register(harness.stack.home, "named", pipeline, None, alias="production")
    for reference in ("named", "named@production", "named:1"):
        job = client.jobs.submit(reference, iter(frame.to_numpy().tolist()), output_format="csv")
        assert client.jobs.wait(job.id).status == "completed"
        client.jobs.download(job.id, harness.directory / "out.csv")
        scored = pd.read_csv(harness.directory / "out.csv")["prediction"].tolist()
        assert scored == pytest.approx([10, 25, 41])


def test_client_jobs_follow_a_job(client: Client, harness: JobHarness) -> None:
    values = np.ones((2000, 2))
    values[77, 0] = GUILTY
    source = harness.parquet(values)
    seen = list(client.jobs.follow(client.jobs.submit("touchy", source).id))
    assert seen[-1].status == "completed_with_errors"
    assert seen[-1].counts.done == seen[-1].counts.total == 2000
    (failed,) = client.jobs.errors(seen[-1].id)
    assert failed.line == 78
    assert seen[-1] in client.jobs.list(100, status="completed_with_errors")


def test_client_jobs_wait_that_is_too_short(client: Client, harness: JobHarness) -> None:
    job = client.jobs.submit("plodding", harness.parquet(np.ones((60_000, 2))))
    with pytest.raises(WaitTimeout):
        client.jobs.wait(job.id, timeout=0.1)
    assert client.jobs.cancel(job.id).status in ("cancelling", "cancelled")


def test_client_jobs_raise_what_is_wrong(client: Client, harness: JobHarness) -> None:
    with pytest.raises(InvalidRequest):
        client.jobs.submit("touchy", harness.numbers(1)[0], methods=["predict_proba"])
