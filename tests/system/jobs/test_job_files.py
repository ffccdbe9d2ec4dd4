"""Files of batch jobs over HTTP: uploads go in, outputs are fetched."""

import csv
import io
from collections.abc import Iterator

from tests.integration.jobs.room import Room
from tests.stack import LiveStack, until
from tests.system.jobs.asking import BATCH, ended, problem, submit, upload


def test_the_outputs_name_tells_its_format(live: LiveStack, room: Room) -> None:
    source, _ = room.numbers(10)
    job = ended(live, submit(live, source, output_uri=str(room.directory / "out.csv.gz")))
    assert (job["status"], job["output"]["format"]) == ("completed", "csv")
    fetched = live.http.get(job["urls"]["output"])
    assert fetched.headers["content-type"] == "application/gzip"
    assert fetched.content[:2] == b"\x1f\x8b"


def test_a_file_is_uploaded_and_its_output_fetched(live: LiveStack) -> None:
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


def test_an_upload_of_unknown_length(live: LiveStack) -> None:
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


def test_a_large_upload_is_never_held_in_memory(live: LiveStack) -> None:
    megabytes = 96
    before = live.http.get("/stats").json()["memory_bytes"]
    row = b"1.5," + b"0" * 1000 + b"\n"
    content = b"x0,x1\n" + row * (megabytes * 2**20 // len(row))
    answer = upload(live, "large.csv", content)
    assert answer.status_code == 202, answer.text
    assert live.http.get("/stats").json()["memory_bytes"] - before < megabytes / 4 * 2**20
    kept = live.home / "jobs" / answer.json()["id"] / "input.csv"
    assert kept.read_bytes() == content
    live.http.delete(answer.json()["urls"]["cancel"])


def test_an_output_in_ranges(live: LiveStack, room: Room) -> None:
    source, _ = room.numbers(1000)
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


def test_listeners_who_leave_give_their_places_back(live: LiveStack, room: Room) -> None:
    source, _ = room.numbers(10)

    def listen() -> bool:
        with live.http.stream("GET", job["urls"]["events"]) as events:
            return events.status_code == 200 and bool(next(events.iter_lines()))

    with live.frozen("bulk"):
        job = submit(live, source)
        for _ in range(12):  # there are places for four
            until(listen, "a place")
    url = job["urls"]["self"]
    until(lambda: live.http.get(url).json()["status"] == "completed", "its end")
