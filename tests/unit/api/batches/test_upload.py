"""An upload is stored in the job's directory, or refused with a reason."""

import io
import os
from pathlib import Path

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from api.batches.upload import Upload
from api.http.forms import convert_disk_full
from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.files.quota import Quota
from tasks.settings import Settings
from telemetry.errors import DiskFull, Invalid


def request(name: str, content: bytes) -> Request:
    form = {"model": "iris", "file": (io.BytesIO(content), name)}
    return EnvironBuilder("/predict/batch", method="POST", data=form).get_request(Request)


def quota(directory: JobDirectory, most: int = 2**40) -> Quota:
    home = directory.path.parents[1]
    return Quota(Settings(home=home, redis_url="redis://none", max_job_bytes=most))


@pytest.fixture
def directory(tmp_path: Path) -> JobDirectory:
    directory = JobDirectory(tmp_path, "job")
    directory.path.mkdir(parents=True)
    return directory


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("rows.csv", "input.csv"),
        ("rows.ndjson.gz", "input.ndjson.gz"),
        ("my.rows.2026.PARQUET", "input.2026.PARQUET"),
        ("../../rows.csv", "input.csv"),
        ("rows./../../etc/passwd", "input"),
        ("rows.c\0sv", "input"),
        ("rows", "input"),
    ],
)
def test_upload_s_name_is_kept_by_its_suffix(directory: JobDirectory, name: str, kept: str) -> None:
    upload = Upload(request(name, b"1\n" * 100_000), directory, 0, quota(directory).check)
    assert Path(upload.uri) == directory.path / kept
    assert [path.name for path in directory.path.iterdir()] == [kept]
    assert Path(upload.uri).read_bytes() == b"1\n" * 100_000
    assert upload.form.to_dict() == {"model": "iris"}


def test_upload_is_synced_before_it_is_accepted(
    directory: JobDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    monkeypatch.setattr(
        "os.fsync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}"))
    )
    Upload(request("rows.csv", b"1\n"), directory, 0, quota(directory).check)
    assert synced[:2] == [str(directory.path / "input.csv"), str(directory.path)]
    assert str(directory.path.parent) in synced


@pytest.mark.parametrize("size", [10, 1_000_000])
def test_upload_to_a_full_disk_is_refused(directory: JobDirectory, size: int) -> None:
    (directory.path / "input.csv").symlink_to("/dev/full")
    with pytest.raises(DiskFull), convert_disk_full():
        Upload(request("rows.csv", b"1" * size), directory, 0, quota(directory).check)


def test_upload_form_without_a_file(directory: JobDirectory) -> None:
    form = EnvironBuilder(method="POST", data={"model": "iris"}, content_type="multipart/form-data")
    with pytest.raises(Invalid, match="file"):
        _ = Upload(form.get_request(Request), directory, 0, quota(directory).check).uri


def test_uploads_take_no_more_than_jobs_may_keep(
    directory: JobDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.jobs.files.quota.CACHE_SECONDS", 0.0)
    with pytest.raises(DiskFull, match="PREDICTQ_MAX_JOB_BYTES"):
        Upload(request("rows.csv", b"1" * 2**25), directory, 0, quota(directory, 2**20).check)
    assert (directory.path / "input.csv").stat().st_size < 2**25


def test_upload_fingerprint_covers_content_fields_and_format(tmp_path: Path) -> None:
    found = []
    for n, (name, content) in enumerate(
        [("a.csv", b"1"), ("b.csv", b"1"), ("a.csv", b"2"), ("a.ndjson", b"1")]
    ):
        own = JobDirectory(tmp_path, str(n))
        own.path.mkdir(parents=True)
        found.append(Upload(request(name, content), own, 0, quota(own).check).fingerprint)
    assert found[0] == found[1]
    assert len({*found}) == 3
