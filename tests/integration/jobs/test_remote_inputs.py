"""Inputs on S3 are scored without a copy; read errors are told."""

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer

from tasks.jobs.job import FileRef, Job, JobRequest
from tasks.ledger import keys
from telemetry.errors import InputChanged
from tests.integration.jobs.job_harness import JobHarness
from tests.support.models import Doubling, register
from tests.support.stack import running, until
from tests.unit.workers.tables.sources import by_position, source_of
from workers.jobs.tables.remote.opening import fingerprint

pytestmark = pytest.mark.slow

ROWS = pd.DataFrame(np.random.default_rng(0).normal(size=(5000, 2)), columns=["x0", "x1"])
FILES = {
    "rows.parquet": lambda: ROWS.to_parquet(row_group_size=700),
    "rows.csv": lambda: ROWS.to_csv(index=False).encode(),
    "rows.csv.gz": lambda: gzip.compress(ROWS.to_csv(index=False).encode()),
    "rows.ndjson": lambda: ROWS.to_json(orient="records", lines=True, double_precision=15).encode(),
}


@contextmanager
def serving(port: int = 0) -> Iterator[ThreadedMotoServer]:
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadedMotoServer]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def environment(server: ThreadedMotoServer) -> Iterator[dict[str, str]]:
    """The environment that points S3 clients to a local server with a bucket ``rows``."""
    host, port = server.get_host_and_port()
    given = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="rows")
        yield given


@pytest.fixture
def bucket(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return boto3.resource("s3").Bucket("rows")


@pytest.fixture(scope="module")
def harness(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JobHarness]:
    home, files = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("files")
    register(home, "doubling", Doubling(), [[1.0, 0.0]])
    roots = f"{files.parent}:s3://rows:s3://missing"
    with running(home, PREDICTQ_BATCH_ROOTS=roots, **environment, bulk=True, forks=True) as stack:
        yield JobHarness(stack, files, roots)


def order(harness: JobHarness, name: str) -> JobRequest:
    output = FileRef(uri=str(harness.directory / "out.parquet"), format="parquet")
    given = FileRef(uri=f"s3://{name}")
    return JobRequest(model="doubling", version=1, input=given, output=output, overwrite=True)


@pytest.mark.parametrize("name", FILES)
def test_s3_input_is_scored(harness: JobHarness, bucket: Any, name: str) -> None:
    tag = bucket.put_object(Key=name, Body=FILES[name]()).e_tag
    job = harness.ended(harness.submit(order(harness, f"rows/{name}")))
    assert (job.status, job.counts.succeeded) == ("completed", 5000), job.error
    assert job.input.fingerprint == f"{job.input.bytes} {tag}"
    made = pd.read_parquet(job.output.uri)["prediction"]
    assert np.allclose(made, 2 * ROWS["x0"], rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ["rows/missing.csv", "missing/rows.csv"])
def test_s3_input_that_does_not_exist_is_reported(
    harness: JobHarness, bucket: Any, name: str
) -> None:
    job = harness.ended(harness.submit(order(harness, name)))
    assert job.error is not None
    assert job.error.code == "input_unreadable"


@pytest.mark.parametrize("name", ["rows.parquet", "rows.csv", "rows.ndjson"])
def test_s3_input_that_changes_is_refused(bucket: Any, name: str) -> None:
    bucket.put_object(Key=name, Body=FILES[name]())
    uri = f"s3://rows/{name}"
    before, source = fingerprint(uri), source_of(uri, name.partition(".")[2], by_position(2))
    spans = list(source.spans(1000))
    bucket.put_object(Key=name, Body=io.BytesIO(FILES[name]()[::-1]))
    assert fingerprint(uri) != before
    with pytest.raises(InputChanged):
        source.read(spans[1])


def test_s3_input_is_retried_while_its_server_is_away(
    harness: JobHarness, bucket: Any, server: ThreadedMotoServer
) -> None:
    bucket.put_object(Key="rows.csv", Body=FILES["rows.csv"]())
    _, port = server.get_host_and_port()
    server.stop()
    job = harness.submit(order(harness, "rows/rows.csv"))
    until(lambda: is_postponed(harness, job), "another attempt")
    with serving(port):
        job = harness.ended(job)
    assert (job.status, job.counts.succeeded) == ("completed", 5000), job.error


def is_postponed(harness: JobHarness, job: Job) -> bool:
    """Whether the validation is postponed: its attempts are stored as n + 0.5."""
    attempts = harness.client.hget(keys.ATTEMPTS, f"{job.id}.validate")
    return attempts is not None and float(attempts) % 1 == 0.5
