"""The output of a job is assembled beside its parts, within the quota."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tasks.callers.caller import DEFAULT_TENANT
from tasks.jobs.files.allowed_paths import AllowedPaths
from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.job import Facts, FileRef, JobRequest
from tasks.jobs.ledger import Begun, Part, ReservedStep
from tasks.settings import Settings
from telemetry.errors import DiskFull, JobBytesQuota
from workers.jobs.finalizing import finalize

PART_BYTES = 2**20


@pytest.fixture
def directory(tmp_path: Path) -> JobDirectory:
    """The directory of a job with one part."""
    directory = JobDirectory(tmp_path / "home", "j")
    directory.parts.mkdir(parents=True)
    directory.part("0").write_bytes(b"1\n" * (PART_BYTES // 2))
    return directory


def finalized(
    directory: JobDirectory, output: Path, max_job_bytes: int, tenant: str = DEFAULT_TENANT
) -> None:
    """``max_job_bytes``: of all jobs, or of the tenant."""
    home, of_tenant = directory.path.parents[1], tenant != DEFAULT_TENANT
    quotas: dict[str, Any] = {"tenant_job_bytes" if of_tenant else "max_job_bytes": max_job_bytes}
    settings = Settings(home=home, redis_url="redis://none", spare_bytes=0, **quotas)
    parts = {0: Part(name="0", succeeded=1, failed=0)}
    ledger: Any = SimpleNamespace(parts=lambda _: parts, conclude=lambda *_: "completed")
    request = JobRequest(
        model="m",
        version=1,
        input=FileRef(uri="/in.csv"),
        output=FileRef(uri=str(output)),
        tenant=tenant,
    )
    facts = Facts(format="csv", bytes=1, fingerprint="f", plan="plan")
    begun = Begun(ReservedStep("j", "finalize", "tag"), 1, request, facts, "1.0")
    allowed = "" if output.is_relative_to(home) else str(output.parent)
    finalize(begun, ledger, directory, AllowedPaths(allowed, home), settings)


def test_output_beside_its_parts_is_refused_beyond_the_quota(directory: JobDirectory) -> None:
    with pytest.raises(DiskFull, match="would take 2 MiB, and may take 1: "):
        finalized(directory, directory.output, PART_BYTES + PART_BYTES // 2)
    assert not directory.output.exists()
    assert directory.part("0").exists()


def test_output_beside_its_parts_is_assembled_within_the_quota(directory: JobDirectory) -> None:
    finalized(directory, directory.output, 3 * PART_BYTES)
    assert directory.output.stat().st_size == PART_BYTES
    assert not directory.parts.exists()


def test_output_beside_its_parts_counts_for_its_tenant(directory: JobDirectory) -> None:
    directory.tenant_file.write_text("red")
    with pytest.raises(JobBytesQuota):
        finalized(directory, directory.output, PART_BYTES + PART_BYTES // 2, "red")
    finalized(directory, directory.output, 3 * PART_BYTES, "red")
    assert directory.tenant() == "red"  # what is kept still counts


def test_output_elsewhere_does_not_count(directory: JobDirectory, tmp_path: Path) -> None:
    elsewhere = tmp_path / "out"
    elsewhere.mkdir()
    finalized(directory, elsewhere / "rows.csv", PART_BYTES + PART_BYTES // 2)
    assert (elsewhere / "rows.csv").stat().st_size == PART_BYTES
