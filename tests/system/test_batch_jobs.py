"""Batch jobs over HTTP: a file goes in by reference or by upload, and its output is fetched."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pyarrow.parquet as pq
import pytest

from tests.integration.jobs.room import Room
from tests.models import GUILTY, Plodding, Touchy, register
from tests.stack import Json, LiveStack, running, until

BATCH = "/predict/batch"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("batches")
    diary = home / "diary"
    diary.touch()
    for model in (Touchy(str(diary)), Plodding(str(diary))):
        register(home, type(model).__name__.lower(), model, [[1.0, 0.0]])
    roots = str(tmp_path_factory.getbasetemp())
    with running(home, PREDICTQ_BATCH_ROOTS=roots, PREDICTQ_THREADS="8") as stack:
        stack.start("bulk")
        yield stack


@pytest.fixture
def room(live: LiveStack, tmp_path: Path) -> Room:
    return Room(live, tmp_path)


def submit(live: LiveStack, source: Path, model: str = "touchy", **fields: Any) -> Json:
    """By reference; gives the job."""
    answer = live.http.post(BATCH, json={"model": model, "input_uri": str(source), **fields})
    assert answer.status_code == 202, answer.text
    job: Json = answer.json()
    assert answer.headers["location"] == job["urls"]["self"]
    return job


def upload(live: LiveStack, name: str, content: bytes, **fields: Any) -> httpx2.Response:
    given = {"model": "touchy", **fields}
    return live.http.post(BATCH, data=given, files={"file": (name, content)})


def ended(live: LiveStack, job: Json) -> Json:
    """The job once it has ended, by its events."""
    last = {}
    with live.http.stream("GET", job["urls"]["events"]) as events:
        assert events.headers["content-type"] == "text/event-stream; charset=utf-8"
        for line in events.iter_lines():
            if line.startswith("data: "):
                last = json.loads(line.removeprefix("data: "))
                counts = dict(last["counts"])
                assert counts.pop("total") == sum(counts.values())
    assert last["ended_at"], last
    return last


def problem(answer: httpx2.Response, status: int, code: str) -> Json:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


def test_a_file_is_scored_in_its_place(live: LiveStack, room: Room) -> None:
    source, values = room.numbers(5000)
    target = room.directory / "scored.parquet"
    job = submit(live, source, output_uri=str(target), include_input=True)
    assert (job["object"], job["model"], job["version"]) == ("batch", "touchy", 1)
    job = ended(live, job)
    assert job["status"] == "completed"
    assert job["counts"]["succeeded"] == 5000
    assert pq.read_table(target)["prediction"].to_pylist() == (2 * values[:, 0]).tolist()
    assert pq.read_table(target)["x1"].to_pylist() == values[:, 1].tolist()
    assert live.http.get(job["urls"]["self"]).json() == job


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


def test_errors_name_their_rows(live: LiveStack, room: Room) -> None:
    _, values = room.numbers(3000)
    values[[7, 2999], 0] = GUILTY
    job = ended(live, submit(live, room.parquet(values)))
    assert job["status"] == "completed_with_errors"
    told = live.http.get(job["urls"]["errors"])
    assert told.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in told.text.splitlines()]
    assert [(line["line"], line["code"]) for line in lines] == [
        (8, "model_error"),
        (3000, "model_error"),
    ]


def test_one_without_errors_has_an_empty_list_of_them(live: LiveStack, room: Room) -> None:
    job = ended(live, submit(live, room.numbers(10)[0]))
    told = live.http.get(job["urls"]["errors"])
    assert (told.status_code, told.content) == (200, b"")


def test_cancelled_and_resumed(live: LiveStack, room: Room) -> None:
    source, values = room.numbers(40_000)
    job = submit(live, source, model="plodding")
    urls = job["urls"]
    until(lambda: live.http.get(urls["self"]).json()["counts"]["succeeded"], "a chunk")
    problem(live.http.get(urls["output"]), 409, "job_stands")
    problem(live.http.post(urls["resume"]), 409, "job_stands")
    assert live.http.delete(urls["cancel"]).json()["status"] in ("cancelling", "cancelled")
    job = ended(live, job)
    assert job["status"] == "cancelled"
    assert job["counts"]["cancelled"]
    assert live.http.delete(urls["cancel"]).json() == job
    problem(live.http.get(urls["output"]), 409, "job_stands")
    resumed = live.http.post(urls["resume"])
    assert resumed.status_code == 202
    job = ended(live, resumed.json())
    assert job["status"] == "completed"
    fetched = pq.read_table(io.BytesIO(live.http.get(urls["output"]).content))
    assert fetched["prediction"].to_pylist() == (2 * values[:, 0]).tolist()


def test_a_validation_queues_nothing(live: LiveStack, room: Room) -> None:
    _, values = room.numbers(5000)
    values[3, 0] = GUILTY
    source = room.parquet(values)
    answer = live.http.post(f"{BATCH}/validate", json={"model": "touchy", "input_uri": str(source)})
    assert answer.status_code == 200, answer.text
    report = answer.json()["report"]
    assert (report["rows"], report["columns"]) == (5000, ["x0", "x1"])
    assert [error["line"] for error in report["errors"]] == [4]
    assert report["estimated_seconds"] > 0
    problem(live.http.get(answer.json()["urls"]["output"]), 409, "job_stands")
    given, files = {"model": "touchy"}, {"file": ("rows.csv", b"x0\n1\n2\n")}
    short = live.http.post(f"{BATCH}/validate", data=given, files=files)
    assert (short.status_code, short.json()["status"]) == (200, "failed"), short.text
    assert short.json()["error"]["code"] == "invalid_input"


def test_jobs_are_listed_the_newest_first(live: LiveStack, room: Room) -> None:
    source, _ = room.numbers(10)
    first, second, third = (ended(live, submit(live, source)) for _ in range(3))
    page = live.http.get(BATCH, params={"limit": 2}).json()
    assert page == {"data": [third, second], "has_more": True}
    older = live.http.get(BATCH, params={"limit": 1, "after": second["id"]}).json()
    assert older["data"] == [first]
    assert live.http.get(BATCH, params={"status": "running"}).json() == {
        "data": [],
        "has_more": False,
    }
    last = live.http.get(BATCH, params={"limit": 100}).json()
    assert last["has_more"] is False


def test_a_file_that_is_not_there(live: LiveStack, room: Room) -> None:
    job = ended(live, submit(live, room.directory / "none.csv"))
    assert (job["status"], job["error"]["code"]) == ("failed", "input_unreadable")


WRONG: list[tuple[Json, int, str, str]] = [
    ({"input_uri": None}, 422, "invalid", "input_uri"),
    ({"nonsense": 1}, 422, "invalid", "nonsense"),
    ({"model": None}, 422, "invalid", "model"),
    ({"model": 7}, 422, "invalid", "str"),
    ({"model": "nobody"}, 404, "model_not_found", "nobody"),
    ({"model": "touchy:9"}, 404, "version_not_found", "9"),
    ({"method": "predict_proba"}, 422, "unsupported_method", "predict_proba"),
    ({"methods": []}, 422, "invalid", "length"),
    ({"methods": ["predict", "predict"]}, 422, "invalid", "more than once"),
    ({"method": "predict", "methods": ["predict"]}, 422, "invalid", "either"),
    ({"input_uri": "/etc/passwd"}, 422, "place_forbidden", "/etc/passwd"),
    ({"input_uri": "s3://bucket/rows.csv"}, 422, "place_forbidden", "s3://"),
    ({"input_uri": "rows.csv"}, 422, "invalid", "absolute"),
    ({"input_uri": "file://rows.csv"}, 422, "invalid", "absolute"),
    ({"input_uri": "/tmp/\0"}, 422, "invalid", "regex"),
    ({"output_uri": "/etc/out.csv"}, 422, "place_forbidden", "/etc/out.csv"),
    ({"input_format": "xls"}, 422, "invalid", "xls"),
    ({"error_threshold": -1}, 422, "invalid", ">="),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: str(case[0]))
def test_what_is_wrong_is_named_and_leaves_nothing(
    live: LiveStack, room: Room, case: tuple[Json, int, str, str]
) -> None:
    changes, status, code, says = case
    source, _ = room.numbers(10)
    before = set((live.home / "jobs").glob("*"))
    body = {"model": "touchy", "input_uri": str(source), **changes}
    body = {name: value for name, value in body.items() if value is not None}
    for path in (BATCH, f"{BATCH}/validate"):
        assert says in problem(live.http.post(path, json=body), status, code)["detail"]
    assert set((live.home / "jobs").glob("*")) == before


def test_wrong_forms(live: LiveStack) -> None:
    before = set((live.home / "jobs").glob("*"))
    wrong = problem(upload(live, "a.csv", b"x0,x1\n1,2\n", nonsense="1"), 422, "invalid")
    assert "nonsense" in wrong["detail"]
    wrong = problem(upload(live, "a.csv", b"", error_threshold="many"), 422, "invalid")
    assert wrong["errors"][0]["loc"] == ["error_threshold"]
    problem(upload(live, "a.csv", b"", input_uri="/etc/passwd"), 422, "invalid")
    problem(upload(live, "a.csv", b"", model="nobody"), 404, "model_not_found")
    problem(upload(live, "a.csv", b"", model=["touchy", "plodding"]), 422, "invalid")
    problem(live.http.post(BATCH, data={"model": "touchy"}), 415, "unsupported_media_type")
    other = {"files": {"rows": ("a.csv", b"")}, "data": {"model": "touchy"}}
    assert "rows" in problem(live.http.post(BATCH, **other), 422, "invalid")["detail"]
    two = [("file", ("a.csv", b"")), ("file", ("b.csv", b""))]
    problem(live.http.post(BATCH, files=two, data={"model": "touchy"}), 422, "invalid")
    headers = {"content-type": "multipart/form-data; boundary=b"}
    problem(live.http.post(BATCH, content=b"nonsense", headers=headers), 400, "malformed")
    headers = {"content-type": "multipart/form-data"}
    problem(live.http.post(BATCH, content=b"nonsense", headers=headers), 400, "malformed")
    assert set((live.home / "jobs").glob("*")) == before


def test_ids_of_no_job(live: LiveStack, room: Room) -> None:
    submit(live, room.numbers(10)[0])
    for method, rest in (
        *(("GET", ""), ("DELETE", ""), ("POST", "/resume")),
        *(("GET", "/output"), ("GET", "/errors"), ("GET", "/events")),
    ):
        for name in ("nobody", "01a1fcd1-b5f1-71d9-9404-90922f7de090", "a b%2e%2e"):
            problem(live.http.request(method, f"{BATCH}/{name}{rest}"), 404, "job_not_found")
    (job,) = live.http.get(BATCH, params={"limit": 1}).json()["data"]
    problem(live.http.get(f"/predict/result/{job['id']}"), 404, "prediction_not_found")
    assert live.http.get(f"{BATCH}/validate").status_code == 405
    for query in ({"limit": "0"}, {"limit": "many"}, {"status": "null"}, {"nonsense": "1"}):
        problem(live.http.get(BATCH, params=query), 422, "invalid")


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
