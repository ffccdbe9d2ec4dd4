"""Files of batch jobs over HTTP: outputs, errors and events."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.ledger import keys
from tests.integration.jobs.job_harness import JobHarness
from tests.support.stack import LiveStack, until
from tests.system.jobs.job_requests import ended, problem, submit


def test_output_format_comes_from_its_name(live: LiveStack, harness: JobHarness) -> None:
    source, _ = harness.numbers(10)
    job = ended(live, submit(live, source, output_uri=str(harness.directory / "out.csv.gz")))
    assert (job["status"], job["output"]["format"]) == ("completed", "csv")
    fetched = live.http.get(job["urls"]["output"])
    assert fetched.headers["content-type"] == "application/gzip"
    assert fetched.content[:2] == b"\x1f\x8b"


def test_output_name_that_no_header_can_hold(live: LiveStack, harness: JobHarness) -> None:
    source, _ = harness.numbers(10)
    job = ended(live, submit(live, source, output_uri=str(harness.directory / "o\x01\nut.csv")))
    fetched = live.http.get(job["urls"]["output"])
    assert (fetched.status_code, fetched.content.count(b"\n")) == (200, 11)
    assert "o__ut.csv" in fetched.headers["content-disposition"]


def test_output_in_ranges(live: LiveStack, harness: JobHarness) -> None:
    source, _ = harness.numbers(1000)
    url = ended(live, submit(live, source, output_format="ndjson"))["urls"]["output"]
    whole = live.http.get(url)
    assert whole.headers["content-type"] == "application/x-ndjson"
    assert whole.headers["accept-ranges"] == "bytes"
    tag = whole.headers["etag"]
    part = live.http.get(url, headers={"Range": "bytes=10-99", "If-Range": tag})
    assert (part.status_code, part.content) == (206, whole.content[10:100])
    assert part.headers["content-range"] == f"bytes 10-99/{len(whole.content)}"
    rest = live.http.get(url, headers={"Range": "bytes=100-"})
    assert part.content + rest.content == whole.content[10:]
    assert live.http.get(url, headers={"If-None-Match": tag}).status_code == 304
    beyond = live.http.get(url, headers={"Range": f"bytes={len(whole.content)}-"})
    problem(beyond, 416, beyond.json()["code"])
    assert beyond.headers["content-range"] == f"bytes */{len(whole.content)}"
    head = live.http.head(url)
    assert (head.headers["content-length"], head.headers["etag"]) == (str(len(whole.content)), tag)


def test_ranges_that_are_ignored(live: LiveStack, harness: JobHarness) -> None:
    source, _ = harness.numbers(100)
    url = ended(live, submit(live, source, output_format="csv"))["urls"]["output"]
    whole = live.http.get(url)
    for range_ in ("lines=0-1", "bytes=5-2", "bytes=a-b", "bytes", "bytes=0-1,3-4", "bytes=-99999"):
        answer = live.http.get(url, headers={"Range": range_})
        assert (answer.status_code, answer.content) == (200, whole.content), range_
        assert "content-range" not in answer.headers
    last = live.http.get(url, headers={"Range": "bytes=-5"})
    assert (last.status_code, last.content) == (206, whole.content[-5:])


def test_output_with_another_etag_is_refused(live: LiveStack, harness: JobHarness) -> None:
    source, _ = harness.numbers(100)
    url = ended(live, submit(live, source, output_format="csv"))["urls"]["output"]
    whole = live.http.get(url)
    for tag in (whole.headers["etag"], f'"other", {whole.headers["etag"]}', "*"):
        answer = live.http.get(url, headers={"If-Match": tag})
        assert (answer.status_code, answer.content) == (200, whole.content), tag
    for more in ({}, {"Range": "bytes=0-9"}):
        other = live.http.get(url, headers={"If-Match": '"other"', **more})
        problem(other, 412, "precondition_failed")
        assert live.http.head(url, headers={"If-Match": '"other"', **more}).status_code == 412


INSTEAD: dict[str, Callable[[Path], object]] = {
    "nothing": lambda _: None,
    "a file": lambda path: path.write_text("somebody's"),
    "a directory": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a link elsewhere": lambda path: path.symlink_to("/etc/passwd"),
    "a loop": lambda path: path.symlink_to(path),
}


@pytest.mark.parametrize("put", INSTEAD.values(), ids=INSTEAD)
@pytest.mark.parametrize("named", [True, False], ids=["named", "kept"])
def test_output_that_is_gone(
    live: LiveStack, harness: JobHarness, put: Callable[[Path], object], *, named: bool
) -> None:
    source, _ = harness.numbers(100)
    output = {"output_uri": str(harness.directory / "out.csv")} if named else {}
    job = ended(live, submit(live, source, **output))
    assert live.http.get(job["urls"]["output"]).status_code == 200
    path = Path(job["output"]["uri"])
    path.unlink()
    put(path)
    problem(live.http.get(job["urls"]["output"]), 410, "result_gone")
    assert live.http.get(job["urls"]["errors"]).status_code == 200


def test_output_that_another_job_has_replaced(live: LiveStack, harness: JobHarness) -> None:
    source, output = harness.numbers(100)[0], str(harness.directory / "out.csv")
    first, second = (
        ended(live, submit(live, source, output_uri=output, overwrite=True)) for _ in range(2)
    )
    problem(live.http.get(first["urls"]["output"]), 410, "result_gone")
    assert live.http.get(second["urls"]["output"]).status_code == 200


def test_output_that_was_changed_in_place(live: LiveStack, harness: JobHarness) -> None:
    job = ended(live, submit(live, harness.numbers(100)[0], output_format="csv"))
    with Path(job["output"]["uri"]).open("r+b") as file:
        file.write(b"?")  # as long as before
    problem(live.http.get(job["urls"]["output"]), 410, "result_gone")
    # Jobs concluded by earlier versions do not record the fingerprint of their output.
    harness.client.hdel(keys.JOB + job["id"], "output")
    assert live.http.get(job["urls"]["output"]).content[:1] == b"?"


def test_event_listeners_that_leave_free_their_slots(live: LiveStack, harness: JobHarness) -> None:
    source, _ = harness.numbers(10)

    def listen() -> bool:
        with live.http.stream("GET", job["urls"]["events"]) as events:
            return events.status_code == 200 and bool(next(events.iter_lines()))

    with live.frozen("bulk"):
        job = submit(live, source)
        for _ in range(12):  # four may listen at a time
            until(listen, "a free slot")
    url = job["urls"]["self"]
    until(lambda: live.http.get(url).json()["status"] == "completed", "its end")
