"""The quota for the files of all jobs."""

from pathlib import Path

import pytest

from tasks.callers.caller import DEFAULT_TENANT
from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.files.quota import Quota
from tasks.settings import Settings
from telemetry.errors import DiskFull, JobBytesQuota


def quota(home: Path, most: int) -> Quota:
    return Quota(Settings(home=home, redis_url="redis://none", max_job_bytes=most))


def test_quota_counts_files_of_jobs_alone(tmp_path: Path) -> None:
    quota(tmp_path, 1).check()  # there is no job yet
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "large").write_bytes(bytes(2**20))
    parts = tmp_path / "jobs" / "j" / "parts"
    parts.mkdir(parents=True)
    quota(tmp_path, 2**20).check()
    (parts / "0").write_bytes(bytes(2**20))
    (tmp_path / "jobs" / "j" / "link").symlink_to(tmp_path / "models")
    quota(tmp_path, 2**21).check()
    with pytest.raises(DiskFull, match="take 1 MiB, and may take 1: delete jobs"):
        quota(tmp_path, 2**20).check()


def test_quota_counts_no_holes_of_sparse_files(tmp_path: Path) -> None:
    (tmp_path / "jobs" / "j").mkdir(parents=True)
    with (tmp_path / "jobs" / "j" / "sparse").open("wb") as file:
        file.truncate(2**30)
    quota(tmp_path, 2**20).check()


def job(home: Path, name: str, tenant: str, size: int) -> None:
    directory = JobDirectory(home, name)
    directory.create(tenant)
    directory.input.write_bytes(bytes(size))


def test_quota_of_a_tenant_counts_its_own_jobs(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, redis_url="redis://none", tenant_job_bytes=2**20)
    Quota(settings).check(tenant="red")  # there is no job yet
    job(tmp_path, "large", "blue", 2**21)
    job(tmp_path, "small", "red", 2**19)
    job(tmp_path, "of nobody", DEFAULT_TENANT, 2**22)
    Quota(settings).check(tenant="red")
    Quota(settings).check()
    with pytest.raises(JobBytesQuota, match="the tenant's batch jobs would take 1 MiB"):
        Quota(settings).check(2**19, tenant="red")
    with pytest.raises(JobBytesQuota, match="take 2 MiB, and may take 1: delete jobs"):
        Quota(settings).check(tenant="blue")


def test_quota_sum_is_cached_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jobs" / "j").mkdir(parents=True)
    now = [100.0]
    monkeypatch.setattr("tasks.jobs.files.quota.time.monotonic", lambda: now[0])
    bounded = quota(tmp_path, 2**16)
    bounded.check()
    (tmp_path / "jobs" / "j" / "input").write_bytes(bytes(2**16))
    bounded.check()
    now[0] += 10
    with pytest.raises(DiskFull):
        bounded.check()
