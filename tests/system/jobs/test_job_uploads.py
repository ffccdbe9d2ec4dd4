"""Uploaded inputs of batch jobs are written to disk and kept with their jobs."""

import csv
import io
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import redis

from api.app import Services, create_flask
from tasks.jobs.gateway import JobGateway
from tasks.settings import Settings
from tests.callers import client_of
from tests.integration.jobs.job_harness import JobHarness
from tests.support.stack import LiveStack, until
from tests.system.jobs.job_requests import BATCH, by_reference, ended, submit, upload

ROWS = b"x0,x1\n1,2\n"
HALF_AN_UPLOAD = (
    b"POST /predict/batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
)


def test_upload_is_scored_and_its_output_fetched(live: LiveStack) -> None:
    content = b"".join(b"r%d,%d.5,0\n" % (i, i) for i in range(300))
    answer = upload(live, "rows.csv", b"id,x0,x1\n" + content, id_column="id")
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == answer.json()["urls"]["self"]
    job = ended(live, answer.json())
    assert (job["status"], job["input"]["format"]) == ("completed", "csv"), job
    fetched = live.http.get(job["urls"]["output"])
    assert fetched.headers["content-type"] == "text/csv; charset=utf-8"
    assert f"{job['id']}.csv" in fetched.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(fetched.text)))
    assert [(row["id"], float(row["prediction"])) for row in rows] == [
        (f"r{i}", 2 * i + 1) for i in range(300)
    ]


def test_upload_of_unknown_length(live: LiveStack) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.ndjson"\r\n\r\n'

    def pieces() -> Iterator[bytes]:
        yield file
        for i in range(2000):
            yield b'{"x0": %d.5, "x1": 0, "custom_id": "n%d"}\n' % (i, i)
        yield (
            b"\r\n"
            + head % (b"model", b"touchy")
            + head % (b"output_format", b"csv")
            + b"--b--\r\n"
        )

    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = live.http.post(BATCH, content=pieces(), headers=headers)
    assert answer.status_code == 202, answer.text
    job = ended(live, answer.json())
    assert (job["status"], job["counts"]["succeeded"]) == ("completed", 2000), job
    assert b"n1999" in live.http.get(job["urls"]["output"]).content


def test_upload_is_never_held_in_memory(live: LiveStack) -> None:
    megabytes = 96
    row = b"1.5," + b"0" * 1000 + b"\n"
    content = b"x0,x1\n" + row * (megabytes * 2**20 // len(row))
    (process,) = psutil.Process(live.pid("api")).children()
    before = peak(process, anew=True)
    answer = upload(live, "large.csv", content)
    assert answer.status_code == 202, answer.text
    assert peak(process) - before < megabytes / 4 * 2**20
    kept = live.home / "jobs" / answer.json()["id"] / "input.csv"
    assert kept.read_bytes() == content
    live.http.delete(answer.json()["urls"]["cancel"])


def peak(process: psutil.Process, *, anew: bool = False) -> int:
    """Peak memory of a process in bytes, optionally reset first."""
    directory = Path("/proc") / str(process.pid)
    if anew:
        (directory / "clear_refs").write_text("5")
    (line,) = (x for x in (directory / "status").read_text().splitlines() if x.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


@pytest.mark.parametrize(
    ("path", "stumbles"),
    [(BATCH, "get"), (f"{BATCH}/validate", "get"), (f"{BATCH}/validate", "wait")],
)
def test_accepted_upload_is_kept_when_redis_fails_briefly(
    live: LiveStack, monkeypatch: pytest.MonkeyPatch, path: str, stumbles: str
) -> None:
    def stumble(*_: object) -> None:
        raise redis.ConnectionError("gone")

    monkeypatch.setattr(JobGateway, stumbles, stumble)
    app = create_flask(Services(Settings(home=live.home, redis_url=live.redis_url)))
    form = {"model": "touchy", "file": (io.BytesIO(ROWS), "a.csv")}
    answer = client_of(app).post(path, data=form)
    if stumbles == "get":
        assert (answer.status_code, answer.json["code"]) == (503, "submission_uncertain")
    else:
        assert answer.status_code == 202
    monkeypatch.undo()
    job = ended(live, live.http.get(f"{BATCH}/{answer.json['id']}").json())
    assert job["status"] == "completed", job


def test_uploads_that_stall_stop_no_other_submission(live: LiveStack, harness: JobHarness) -> None:
    source, _ = harness.numbers(10)
    address = urlsplit(live.url)
    with ExitStack() as stalled:

        def refused() -> bool:
            """Begin one more upload that stalls; return whether the next upload is refused."""
            connection = socket.create_connection((address.hostname, address.port))
            stalled.enter_context(connection)
            connection.sendall(HALF_AN_UPLOAD)
            return upload(live, "a.csv", b"").status_code == 503

        until(refused, "no more uploads are taken")
        ended(live, submit(live, source))
        found = live.http.post(f"{BATCH}/validate", json=by_reference(source))
        assert found.status_code == 200, "dry runs have waits of their own"
    until(lambda: upload(live, "a.csv", ROWS).status_code == 202, "uploads are taken again")
