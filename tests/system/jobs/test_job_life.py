"""The life of a batch job over HTTP: submitted, followed, cancelled, resumed, listed."""

import io
import json

import pyarrow.parquet as pq

from tests.integration.jobs.job_harness import JobHarness
from tests.support.models import GUILTY
from tests.support.stack import LiveStack, until
from tests.system.jobs.job_requests import BATCH, by_reference, ended, problem, submit, upload


def test_job_scores_a_file_in_place(live: LiveStack, harness: JobHarness) -> None:
    source, values = harness.numbers(5000)
    target = harness.directory / "scored.parquet"
    job = submit(live, source, output_uri=str(target), include_input=True)
    assert (job["object"], job["model"], job["version"]) == ("batch", "touchy", 1)
    job = ended(live, job)
    assert job["status"] == "completed"
    assert job["counts"]["succeeded"] == 5000
    assert pq.read_table(target)["prediction"].to_pylist() == (2 * values[:, 0]).tolist()
    assert pq.read_table(target)["x1"].to_pylist() == values[:, 1].tolist()
    assert live.http.get(job["urls"]["self"]).json() == job


def test_errors_name_their_rows(live: LiveStack, harness: JobHarness) -> None:
    _, values = harness.numbers(3000)
    values[[7, 2999], 0] = GUILTY
    job = ended(live, submit(live, harness.parquet(values)))
    assert job["status"] == "completed_with_errors"
    told = live.http.get(job["urls"]["errors"])
    assert told.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in told.text.splitlines()]
    assert [(line["line"], line["code"]) for line in lines] == [
        (8, "model_error"),
        (3000, "model_error"),
    ]


def test_job_stops_beyond_its_threshold(live: LiveStack, harness: JobHarness) -> None:
    content = b"x0,x1\n" + b"1,2\n" * 10 + b"x,2\n" * 2
    (harness.directory / "in.csv").write_bytes(content)
    asked = [
        submit(live, harness.directory / "in.csv", error_threshold=1),
        upload(live, "in.csv", content, error_threshold="1").json(),
        submit(live, harness.directory / "in.csv", error_threshold=0.1),
    ]
    for job in asked:
        error = ended(live, job)["error"]
        assert error["code"] == "too_many_failures"
        problem(live.http.post(job["urls"]["resume"]), 409, "job_conflict")
    allowed = ended(live, submit(live, harness.directory / "in.csv", error_threshold=2))
    assert allowed["counts"]["failed"] == 2
    assert allowed["status"] == "completed_with_errors"


def test_job_without_errors_has_an_empty_errors_file(live: LiveStack, harness: JobHarness) -> None:
    job = ended(live, submit(live, harness.numbers(10)[0]))
    told = live.http.get(job["urls"]["errors"])
    assert (told.status_code, told.content) == (200, b"")


def test_job_is_cancelled_and_resumed(live: LiveStack, harness: JobHarness) -> None:
    source, values = harness.numbers(40_000)
    job = submit(live, source, model="plodding")
    urls = job["urls"]
    until(lambda: live.http.get(urls["self"]).json()["counts"]["succeeded"], "a chunk")
    problem(live.http.get(urls["output"]), 409, "job_conflict")
    problem(live.http.post(urls["resume"]), 409, "job_conflict")
    assert live.http.delete(urls["cancel"]).json()["status"] in ("cancelling", "cancelled")
    job = ended(live, job)
    assert job["status"] == "cancelled"
    assert job["counts"]["cancelled"]
    assert live.http.delete(urls["cancel"]).json() == job
    problem(live.http.get(urls["output"]), 409, "job_conflict")
    resumed = live.http.post(urls["resume"])
    assert resumed.status_code == 202
    job = ended(live, resumed.json())
    assert job["status"] == "completed"
    fetched = pq.read_table(io.BytesIO(live.http.get(urls["output"]).content))
    assert fetched["prediction"].to_pylist() == (2 * values[:, 0]).tolist()


def test_validation_queues_nothing(live: LiveStack, harness: JobHarness) -> None:
    _, values = harness.numbers(5000)
    values[3, 0] = GUILTY
    source = harness.parquet(values)
    answer = live.http.post(f"{BATCH}/validate", json=by_reference(source))
    assert answer.status_code == 200, answer.text
    assert answer.json()["chunks"] is None
    assert not harness.client.llen("bulk")
    report = answer.json()["report"]
    assert (report["rows"], report["columns"]) == (5000, ["x0", "x1"])
    assert [error["line"] for error in report["errors"]] == [4]
    assert report["estimated_seconds"] > 0
    problem(live.http.get(answer.json()["urls"]["output"]), 409, "job_conflict")
    given, files = {"model": "touchy"}, {"file": ("rows.csv", b"x0\n1\n2\n")}
    short = live.http.post(f"{BATCH}/validate", data=given, files=files)
    assert (short.status_code, short.json()["status"]) == (200, "failed"), short.text
    assert short.json()["error"]["code"] == "invalid_input"


def test_validation_checks_the_output_path(live: LiveStack, harness: JobHarness) -> None:
    source, _ = harness.numbers(10)
    (harness.directory / "taken.csv").mkdir()
    for path in ("none/out.csv", "in.parquet/out.csv", "taken.csv"):
        output = str(harness.directory / path)
        body = by_reference(source, output_uri=output)
        found = live.http.post(f"{BATCH}/validate", json=body).json()
        assert (found["status"], found["error"]["code"]) == ("failed", "output_unwritable"), found
        assert found["error"] == ended(live, submit(live, source, output_uri=output))["error"]
    body = by_reference(source, output_uri=str(harness.directory / "out.csv"))
    assert live.http.post(f"{BATCH}/validate", json=body).json()["status"] == "completed"
    assert {path.name for path in harness.directory.iterdir()} == {"in.parquet", "taken.csv"}


def test_validation_waits_no_longer_than_preferred(live: LiveStack, harness: JobHarness) -> None:
    body, path = by_reference(harness.numbers(10)[0]), f"{BATCH}/validate"
    with live.frozen("bulk"):
        for preference in ("wait=1", "respond-async"):
            answer = live.http.post(path, json=body, headers={"Prefer": preference}, timeout=10)
            assert answer.status_code == 202
            assert answer.headers["preference-applied"] == preference
    assert ended(live, answer.json())["report"]["rows"] == 10


def test_jobs_are_listed_newest_first(live: LiveStack, harness: JobHarness) -> None:
    source, _ = harness.numbers(10)
    first, second, third = (ended(live, submit(live, source)) for _ in range(3))
    page = live.http.get(BATCH, params={"limit": 2}).json()
    assert page == {"data": [third | {"report": None}, second | {"report": None}], "has_more": True}
    older = live.http.get(BATCH, params={"limit": 1, "after": second["id"]}).json()
    assert older["data"] == [first | {"report": None}]
    assert live.http.get(BATCH, params={"after": "forgotten"}).json()["data"] == []
    assert live.http.get(BATCH, params={"status": "running"}).json() == {
        "data": [],
        "has_more": False,
    }
    query = {"status": "completed", "limit": 1, "after": third["id"]}
    assert live.http.get(BATCH, params=query).json()["data"][0]["id"] == second["id"]
    last = live.http.get(BATCH, params={"limit": 100}).json()
    assert last["has_more"] is False


def test_job_of_a_missing_file(live: LiveStack, harness: JobHarness) -> None:
    job = ended(live, submit(live, harness.directory / "none.csv"))
    assert (job["status"], job["error"]["code"]) == ("failed", "input_unreadable")


def test_ended_job_is_deleted_with_its_files(live: LiveStack, harness: JobHarness) -> None:
    job = ended(live, submit(live, harness.numbers(10)[0], output_format="csv"))
    own = live.home / "jobs" / job["id"]
    assert (own / "output").exists()
    assert live.http.delete(job["urls"]["self"]).json()["status"] == "completed"  # unchanged
    answer = live.http.delete(job["urls"]["self"], params={"forget": "true"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert not own.exists()
    for again in (live.http.get, live.http.delete):
        problem(again(job["urls"]["self"]), 404, "job_not_found")
    with live.frozen("bulk"):
        waiting = submit(live, harness.numbers(10)[0])
        answer = live.http.delete(waiting["urls"]["self"], params={"forget": "true"})
        problem(answer, 409, "job_conflict")
        problem(live.http.delete(waiting["urls"]["self"], params={"forget": "?"}), 422, "invalid")
    ended(live, waiting)


def test_job_idempotency_key_makes_repetition_safe(live: LiveStack, harness: JobHarness) -> None:
    source, key = harness.numbers(10)[0], {"Idempotency-Key": "order-17"}
    before = {path.name for path in (live.home / "jobs").glob("*/")}
    body = by_reference(source)
    first, again = (live.http.post(BATCH, json=body, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    other = live.http.post(BATCH, json={**body, "include_input": True}, headers=key)
    problem(other, 422, "idempotency_conflict")
    forms = [
        live.http.post(
            BATCH,
            data={"model": "touchy"},
            files={"file": ("a.csv", content)},
            headers={"Idempotency-Key": "form"},
        )
        for content in (b"x0,x1\n1,2\n", b"x0,x1\n1,2\n", b"x0,x1\n1,3\n")
    ]
    assert [answer.status_code for answer in forms] == [202, 202, 422]
    assert forms[0].json()["id"] == forms[1].json()["id"]
    for job in (first.json(), forms[0].json()):
        ended(live, job)
    made = {path.name for path in (live.home / "jobs").glob("*/")} - before
    assert made == {first.json()["id"], forms[0].json()["id"]}


def test_local_key_shows_jobs_that_others_cannot_see(live: LiveStack, harness: JobHarness) -> None:
    """Without the local key, files outside the allowed paths and their lines are not shown."""
    elsewhere = live.home / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    (elsewhere / "in.csv").write_text("x0,x1\nsecret,1\n")
    body = by_reference(elsewhere / "in.csv")
    problem(live.http.post(BATCH, json=body), 422, "place_forbidden")
    key = {"Authorization": f"Bearer {(live.home / 'local.key').read_text().strip()}"}
    job = live.http.post(BATCH, json=body, headers=key).json()
    assert job["restricted"]
    url = job["urls"]["self"]
    told = until(lambda: (now := live.http.get(url, headers=key).json())["ended_at"] and now, "end")
    assert "secret" in told["error"]["message"]
    for answer in (live.http.get(url), live.http.get(BATCH)):
        assert "failed" in answer.text
        assert "secret" not in answer.text
    for name in ("output", "errors", "events"):
        problem(live.http.get(job["urls"][name]), 401, "key_missing")
    problem(live.http.delete(url, params={"forget": "true"}), 401, "key_missing")
    problem(live.http.post(job["urls"]["resume"]), 401, "key_missing")
    assert live.http.delete(url, params={"forget": "true"}, headers=key).status_code == 204
