"""The routes of batch jobs, over a fake gateway."""

import io
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from msgspec.structs import replace

from api.batches.routes import Batches
from api.http import problems
from registry.store import Registry
from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.job import Counts, InputInfo, Job, JobRequest, OutputInfo, Status
from tasks.messages import Idempotency
from tasks.settings import Settings
from telemetry.errors import JobNotFound, PlaceForbidden, SubmissionUncertain
from tests.callers import OWNER, client_of, environ_of
from tests.support.models import described

BODY = {"model": "m", "input_uri": "/data/in.csv"}
TENANT_JOB_BYTES = 2**16
JOB = Job(
    id="j1",
    status="validating",
    model="m",
    version=1,
    alias=None,
    methods=("predict",),
    input=InputInfo(uri="/data/in.csv", format="csv"),
    output=OutputInfo(uri="out.csv", format="csv"),
    created_at=0,
    counts=Counts(),
    expires_at=0,
)


class Jobs:
    """Accepts every job request, unless told what to raise, and never waits."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.jobs = {"j0": replace(JOB, id="j0", status="completed")}
        self.requests: list[tuple[JobRequest, Idempotency | None, bool]] = []
        self.error: Exception | None = None
        self.accepted_before: str | None = None
        self.waited: list[float] = []
        self.asked: tuple[Any, ...] = ()

    def new(self, tenant: str) -> tuple[str, JobDirectory]:
        directory = JobDirectory(self._home, "j1")
        directory.create(tenant)
        return "j1", directory

    def create(
        self,
        job_id: str,
        job_request: JobRequest,
        key: Idempotency | None,
        *,
        everywhere: bool,
        sending: object,
    ) -> Job:
        if self.error:
            raise self.error
        self.requests.append((job_request, key, everywhere))
        return self.jobs.setdefault(self.accepted_before or job_id, JOB)

    def get(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise JobNotFound
        return self.jobs[job_id]

    def latest(self, many: int, after: str | None, status: Status | None) -> list[Job]:
        self.asked = many, after, status
        return [replace(JOB, id=f"j{number}") for number in range(many)]

    def wait(self, job_id: str, seconds: float) -> Job:
        self.waited.append(seconds)
        return replace(self.jobs[job_id], status="completed")

    def cancel(self, job_id: str) -> Job:
        return replace(self.get(job_id), status="cancelling")

    def resume(self, job_id: str) -> Job:
        return replace(self.get(job_id), status="queued")

    def delete(self, job_id: str) -> None:
        del self.jobs[job_id]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    Registry(home).add("m", described(b"m"), b"m")
    return home


@pytest.fixture
def jobs(home: Path) -> Jobs:
    return Jobs(home)


@pytest.fixture
def max_job_bytes() -> int:
    return 2**40


@pytest.fixture
def web(jobs: Any, home: Path, max_job_bytes: int) -> FlaskClient:
    app = Flask(__name__)
    settings = Settings(
        home=home,
        redis_url="",
        threads=4,
        spare_bytes=0,
        max_job_bytes=max_job_bytes,
        tenant_job_bytes=TENANT_JOB_BYTES,
    )
    app.register_blueprint(Batches(jobs, Registry(home), settings).blueprint())
    problems.register(app)
    return client_of(app)


@pytest.fixture
def directory(home: Path) -> Path:
    return JobDirectory(home, "j1").path


def form(**fields: str) -> dict[str, Any]:
    return {"model": "m", "file": (io.BytesIO(b"x0\n1\n"), "rows.csv"), **fields}


def test_job_request_is_pinned_and_accepted(web: FlaskClient, jobs: Jobs) -> None:
    answer = web.post("/predict/batch", json=BODY)
    assert (answer.status_code, answer.json["status"]) == (202, "validating")
    assert answer.headers["Location"] == answer.json["urls"]["self"] == "/predict/batch/j1"
    ((job_request, key, everywhere),) = jobs.requests
    assert (job_request.reference, job_request.input.uri, job_request.dry_run) == (
        "m:1",
        "/data/in.csv",
        False,
    )
    assert (key, everywhere) == (None, False)


def test_scope_files_allows_any_path(web: FlaskClient, jobs: Jobs) -> None:
    web.post("/predict/batch", json=BODY, environ_base=environ_of(OWNER))
    assert [everywhere for *_, everywhere in jobs.requests] == [True]


def test_upload_lies_in_the_directory_of_its_job(
    web: FlaskClient, jobs: Jobs, directory: Path
) -> None:
    assert web.post("/predict/batch", data=form(id_column="x0")).status_code == 202
    ((job_request, *_),) = jobs.requests
    assert (job_request.input.uri, job_request.id_column) == (str(directory / "input.csv"), "x0")
    assert (directory / "input.csv").read_bytes() == b"x0\n1\n"


def test_waits_of_dry_runs_and_uploads_have_separate_limits(web: FlaskClient, jobs: Jobs) -> None:
    """With four threads one dry run may wait, and one upload is read."""
    uploaded: list[int] = []

    def wait(job_id: str, seconds: float) -> Job:
        uploaded.append(web.post("/predict/batch", data=form()).status_code)
        return jobs.jobs[job_id]

    jobs.wait = wait
    jobs.accepted_before = "j0"  # so that both may use one directory
    assert web.post("/predict/batch/validate", json=BODY).status_code in (200, 202)
    assert uploaded == [202]


@pytest.mark.parametrize(
    ("error", "status", "stays"),
    [(PlaceForbidden("no"), 422, False), (SubmissionUncertain("perhaps", id="j1"), 503, True)],
    ids=["refused", "uncertain"],
)
def test_refused_job_request_leaves_no_directory(
    web: FlaskClient, jobs: Jobs, directory: Path, error: Exception, status: int, stays: bool
) -> None:
    jobs.error = error
    assert web.post("/predict/batch", data=form()).status_code == status
    assert directory.exists() == stays


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": "nobody", "input_uri": "/in.csv"}, 404),
        ({"model": "m", "input_uri": "in.csv"}, 422),
        ({"model": "m"}, 422),
        ({**BODY, "method": "fly"}, 422),
    ],
    ids=["model", "relative", "no input", "method"],
)
def test_wrong_job_request_is_not_submitted(
    web: FlaskClient, jobs: Jobs, directory: Path, body: object, status: int
) -> None:
    assert web.post("/predict/batch", json=body).status_code == status
    assert jobs.requests == []
    assert not directory.exists()


@pytest.mark.parametrize("max_job_bytes", [0])
@pytest.mark.parametrize("path", ["/predict/batch", "/predict/batch/validate"])
def test_job_request_beyond_the_quota_is_refused(
    web: FlaskClient, jobs: Jobs, directory: Path, path: str
) -> None:
    answer = web.post(path, json=BODY)
    assert (answer.status_code, answer.json["code"]) == (507, "disk_full")
    assert jobs.requests == []
    assert not directory.exists()


def test_job_request_beyond_the_quota_of_its_tenant_is_refused(
    web: FlaskClient, jobs: Jobs, home: Path, directory: Path
) -> None:
    web.environ_base |= environ_of(replace(OWNER, tenant="red"))
    earlier = JobDirectory(home, "j0")
    earlier.create("red")
    earlier.input.write_bytes(bytes(TENANT_JOB_BYTES))
    answer = web.post("/predict/batch", data=form())
    assert (answer.status_code, answer.json["code"]) == (429, "quota_job_bytes")
    assert jobs.requests == []
    assert not directory.exists()
    web.environ_base |= environ_of(replace(OWNER, tenant="blue"))
    assert web.post("/predict/batch", data=form()).status_code == 202
    assert JobDirectory(home, "j1").tenant() == "blue"


def test_repeated_job_request_needs_no_directory(
    web: FlaskClient, jobs: Jobs, directory: Path
) -> None:
    jobs.accepted_before = "j0"
    answer = web.post("/predict/batch", data=form(), headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json["id"]) == (202, "j0")
    assert not directory.exists()


def test_job_request_s_key_differs_from_that_of_its_dry_run(
    web: FlaskClient, jobs: Jobs, directory: Path
) -> None:
    for path in ("/predict/batch", "/predict/batch", "/predict/batch/validate"):
        web.post(path, json=BODY, headers={"Idempotency-Key": "k"})
        directory.rmdir()
    first, again, dry = (key for _, key, _ in jobs.requests)
    assert first == again != dry


def test_validating_waits_as_long_as_is_preferred(web: FlaskClient, jobs: Jobs) -> None:
    answer = web.post("/predict/batch/validate", json=BODY, headers={"Prefer": "wait=7"})
    assert (answer.status_code, answer.json["status"]) == (200, "completed")
    assert answer.headers["Preference-Applied"] == "wait=7"
    assert jobs.waited == [7]
    assert jobs.requests[0][0].dry_run


def test_page_of_jobs_says_whether_there_are_more(web: FlaskClient, jobs: Jobs) -> None:
    page = web.get("/predict/batch?limit=2&after=j9&status=failed").json
    assert ([job["id"] for job in page["data"]], page["has_more"]) == (["j0", "j1"], True)
    assert jobs.asked == (3, "j9", "failed")
    assert web.get("/predict/batch?limit=0").status_code == 422


def test_job_is_shown_cancelled_resumed_and_deleted(web: FlaskClient) -> None:
    path = "/predict/batch/j0"
    assert web.get(path).json["status"] == "completed"
    cancelled = web.delete(path)
    assert (cancelled.status_code, cancelled.json["status"]) == (200, "cancelling")
    resumed = web.post(f"{path}/resume")
    assert (resumed.status_code, resumed.json["status"]) == (202, "queued")
    assert web.delete(f"{path}?forget=true").status_code == 204
    assert web.get(path).json["code"] == "job_not_found"


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", ""), ("DELETE", "?forget=true"), ("POST", "/resume"), ("GET", "/output")],
)
def test_job_of_the_local_key_needs_it(
    web: FlaskClient, jobs: Jobs, method: str, path: str
) -> None:
    jobs.jobs["j0"] = replace(JOB, restricted=True)
    assert web.open(f"/predict/batch/j0{path}", method=method).status_code == 401
    assert "j0" in jobs.jobs


def test_validate_is_no_job(web: FlaskClient) -> None:
    assert web.get("/predict/batch/validate").status_code == 405
