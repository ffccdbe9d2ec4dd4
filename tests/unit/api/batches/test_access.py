"""A job that names paths of the server shows nothing of its files without the scope."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from api.batches.access import JobAccess
from tasks.callers.caller import LOCAL_CALLER
from tasks.jobs.job import Counts, InputInfo, Job, JobError, OutputInfo
from telemetry.errors import KeyMissing
from tests.callers import OWNER, environ_of

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


def access(found: Job) -> JobAccess:
    jobs: Any = SimpleNamespace(get=lambda _: found)
    return JobAccess(jobs)


def test_access_without_the_key() -> None:
    found = job(restricted=True)
    with Flask("test").test_request_context(environ_base=environ_of(LOCAL_CALLER)):
        shown = access(found).redacted(found)
        assert shown.error
        assert (shown.error.code, LINE in shown.error.message) == ("invalid_input", False)
        with pytest.raises(KeyMissing, match="`files`"):
            access(found).permitted("j1")


def test_access_with_the_key() -> None:
    found = job(restricted=True)
    with Flask("test").test_request_context(environ_base=environ_of(OWNER)):
        assert access(found).may_use_any_path
        assert access(found).redacted(found) == found
        assert access(found).permitted("j1") == found


def test_jobs_below_the_roots_are_everybodys() -> None:
    found = job(restricted=False)
    with Flask("test").test_request_context():
        assert not access(found).may_use_any_path
        assert access(found).redacted(found) == found
        assert access(found).permitted("j1") == found
