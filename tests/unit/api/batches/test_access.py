"""A job requested with the local key shows nothing of its files without it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from api.batches.access import JobAccess
from api.http.rights import Rights
from tasks.jobs.job import Counts, InputInfo, Job, JobError, OutputInfo
from telemetry.errors import Forbidden

LINE = "line 1: root:x:0:0 is no number"


def job(*, restricted: bool) -> Job:
    return Job(
        id="j1",
        status="failed",
        model="iris",
        version=1,
        alias=None,
        methods=(),
        input=InputInfo(uri="/etc/passwd", format="csv"),
        output=OutputInfo(uri="out.csv", format="csv"),
        created_at=0,
        counts=Counts(),
        error=JobError("invalid_input", LINE, 1),
        expires_at=0,
        restricted=restricted,
    )


def access(home: Path, found: Job) -> JobAccess:
    jobs: Any = SimpleNamespace(get=lambda _: found)
    return JobAccess(jobs, Rights(home))


@pytest.mark.parametrize("key", ["", "Bearer wrong"])
def test_access_without_the_key(tmp_path: Path, key: str) -> None:
    found = job(restricted=True)
    with Flask("test").test_request_context(headers={"Authorization": key}):
        shown = access(tmp_path, found).redacted(found)
        assert shown.error
        assert (shown.error.code, LINE in shown.error.message) == ("invalid_input", False)
        with pytest.raises(Forbidden, match="send the key"):
            access(tmp_path, found).permitted("j1")


def test_access_with_the_key(tmp_path: Path) -> None:
    found, rights = job(restricted=True), Rights(tmp_path)
    del rights
    key = (tmp_path / "local.key").read_text().strip()
    with Flask("test").test_request_context(headers={"Authorization": f"Bearer {key}"}):
        assert access(tmp_path, found).may_use_any_path
        assert access(tmp_path, found).redacted(found) == found
        assert access(tmp_path, found).permitted("j1") == found


def test_jobs_below_the_roots_are_everybodys(tmp_path: Path) -> None:
    found = job(restricted=False)
    with Flask("test").test_request_context():
        assert not access(tmp_path, found).may_use_any_path
        assert access(tmp_path, found).redacted(found) == found
        assert access(tmp_path, found).permitted("j1") == found
