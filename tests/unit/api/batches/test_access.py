"""A job that names paths of the server shows nothing of its files without the scope."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from msgspec.structs import replace

from api.batches.access import LATER_PAGE, JobAccess
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


def test_jobs_behind_many_of_other_tenants_are_found_in_few_reads() -> None:
    theirs = [replace(job(restricted=False), id=f"t{n}", tenant="theirs") for n in range(2500)]
    ours = [replace(job(restricted=False), id=f"o{n}", tenant="ours") for n in range(3)]
    kept, sizes = [*theirs, *ours], list[int]()

    def latest(many: int, after: str | None, _: object) -> list[Job]:
        sizes.append(many)
        first = 1 + [each.id for each in kept].index(after) if after else 0
        return kept[first : first + many]

    jobs: Any = SimpleNamespace(latest=latest)
    caller = replace(LOCAL_CALLER, tenant="ours")
    with Flask("test").test_request_context(environ_base=environ_of(caller)):
        assert JobAccess(jobs).latest(2) == ours[:2]
    assert sizes == [2, LATER_PAGE, LATER_PAGE, LATER_PAGE]
