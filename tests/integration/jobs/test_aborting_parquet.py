"""pyarrow aborts the process that reads some damaged Parquet files; a worker must outlive that."""

import base64
from collections.abc import Iterator

import pytest

from tests.support.bulk_stack import computing_jobs
from tests.support.models import Doubling
from tests.support.stack import LiveStack, until

pytestmark = pytest.mark.slow

ABORTING = """
UEFSMRUEFSAVJEwVBBUAEgAAEDwAAAAAAADwPwAAAAAAAABAFQAVEhUWLBUEFRAVBhUGHBgIAAAAAAAAAEAYCAAAAA
AAAPA/FgAoCAAAAAAAAABAGAgAAAAAAADwPxERAAAACSACAAAABAEBAwIVBBUQFRRMFQIVABIAAAgcAwAAAAAAAAAV
ABUSFRYsFQQVEBUGFQYcGAgDAAAAAAAAABgIAwAAAAAAAAAWAigIAwAAAAAAAAAYCAMAAAAAAAAAEREAAAAJIAIAAA
ADAQECABUEGTw1ABgGc2NoZW1hFQQAFQolAhgCeDAAFQQlWhgCeDEAFgQZHBksJgAcFQoZNQAGEBkYAngwFQIWBBbM
ARbUASZIJggcGAgAAAAAAAAAQBgIAAAAAAAA8D8WACgIAAAAAAAAAEAYCAAAAAAAAPA/EREAGSwVBBUAFQIAFQAVEB
UCADwpBhkmAAQAAAAmABwVBBk1AAYQGRgCeDEVAhYEFrwBFsQBJowCJtwBHBgIAwAAAAAAAAAYCAMAAAAAAAAAFgIo
CAMAAAAAAAAAGAgDAAAAAAAAABERABksFQQVABUCABUAFRAVAgA8KQYZJgICAAAAFogDFgQmCBaYAwAZHBgMQVJST1
c6c2NoZW1hGPgBLy8vLy83QUFBQUFRQUFBQUFBQUtBQXdBQmdBRkFBZ0FDZ0FBQUFBQkJBQU1BQUFBQ0FBSUFBQUFC
QUFJQUFBQUJBQUFBQUlBQUFCTUFBQUFCQUFBQU16Ly8vOEFBQUVDRUFBQUFCd0FBQUFFQUFBQUFBQUFBQUlBQUFCNE
1RQUFDQUFNQUFnQUJ3QUlBQUFBQUFBQUFVQUFBQUFRQUJRQUNBQUdBQWNBREFBQUFCQUFFQUFBQUFBQUFRTVFBQUFB
SEFBQUFBUUFBQUFBQUFBQUFnQUFBSGd3QUFBQUFBWUFDQUFHQUFZQUFBQUFBQUlBQUFBQUFBPT0AGCBwYXJxdWV0LW
NwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRksHAAAHAAAADcCAABQQVIx
"""
"""A size statistic in its footer is damaged, which pyarrow 26 takes for a defect of itself."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    with computing_jobs(tmp_path_factory.mktemp("aborting"), Doubling) as stack:
        yield stack


def test_aborting_input_fails_its_job_alone(stack: LiveStack) -> None:
    part = {"file": ("rows.parquet", base64.b64decode(ABORTING))}
    job = stack.http.post("/predict/batch", files=part, data={"model": "doubling"}).json()

    def ended() -> dict[str, object] | None:
        found = stack.http.get(f"/predict/batch/{job['id']}").json()
        return found if found["status"] == "failed" else None

    assert until(ended, "the end of the job")["error"]["code"] == "worker_lost"
    whole = {"file": ("rows.csv", b"x0,x1\n1,2\n")}
    job = stack.http.post("/predict/batch", files=whole, data={"model": "doubling"}).json()
    path = f"/predict/batch/{job['id']}"
    until(lambda: stack.http.get(path).json()["status"] == "completed", "the next job")
