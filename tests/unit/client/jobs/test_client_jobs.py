"""Batch jobs through the client: submit, follow, cancel, resume, download."""

import json

import pytest

from predictq import Client, Conflict, InvalidRequest, Unavailable, Unreachable, WaitTimeout
from tests.unit.client.rows.row_forms import form
from tests.unit.fake_server import DROP, Answer, events, job, problem


def test_job_path_is_referenced_and_not_uploaded(server, client, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    server.script(Answer(202, job(status="validating")))
    accepted = client.jobs.submit(
        *("iris", "in.csv"), output="out.csv", methods=["predict"], id_column="id", upload=None
    )
    assert (accepted.id, accepted.status, accepted.has_ended) == ("j1", "validating", False)
    assert accepted.counts.done == 4
    assert server.calls == [("POST", "/predict/batch")]
    assert server.asked[0].body == {
        "model": "iris",
        "input_uri": f"{tmp_path}/in.csv",
        "output_uri": f"{tmp_path}/out.csv",
        "methods": ["predict"],
        "id_column": "id",
    }


def test_job_method_needs_no_list(server, client):
    server.script(Answer(202, job()))
    client.jobs.submit("iris", "/in.csv", methods="predict_proba")
    assert server.asked[0].body["methods"] == ["predict_proba"]


def test_csv_options_are_sent(server, client, tmp_path):
    (tmp_path / "in.csv").write_text("1;-\n")
    said = {"delimiter": ";", "header": False, "na": ["-", "?"]}
    server.script(Answer(202, job()), Answer(202, job()), Answer(202, job()))
    client.jobs.submit("iris", "/in.csv", **said)
    client.jobs.submit("iris", "/in.csv", na="-")
    client.jobs.submit("iris", tmp_path / "in.csv", upload=True, **said)
    by_name, one, sent = server.asked
    assert by_name.body == {"model": "iris", "input_uri": "/in.csv", **said}
    assert one.body["na"] == ["-"]
    fields, _ = form(sent)
    assert fields[1:5] == [("delimiter", ";"), ("header", "false"), ("na", "-"), ("na", "?")]


def test_job_uri_is_sent_unchanged(server, client):
    server.script(Answer(202, job()))
    client.jobs.submit("iris", "s3://bucket/in.parquet", output="s3://bucket/out.parquet")
    body = server.asked[0].body
    assert (body["input_uri"], body["output_uri"]) == (
        "s3://bucket/in.parquet",
        "s3://bucket/out.parquet",
    )


def test_job_file_is_uploaded(server, client, tmp_path):
    (tmp_path / "in.csv").write_text("a\n1\n")
    server.script(Answer(202, job()))
    client.jobs.submit(
        *("iris", tmp_path / "in.csv"),
        upload=True,
        methods=["predict", "predict_proba"],
        include_input=True,
        error_threshold=0.5,
    )
    assert form(server.asked[0]) == (
        [
            ("model", "iris"),
            ("methods", "predict"),
            ("methods", "predict_proba"),
            ("include_input", "true"),
            ("error_threshold", "0.5"),
            ("file", "a\n1\n"),
        ],
        "in.csv",
    )


def test_job_file_that_cannot_be_read_raises_its_os_error(server, client, tmp_path):
    for name, error in (("none.csv", FileNotFoundError), (".", IsADirectoryError)):
        with pytest.raises(error, match=str(tmp_path)):
            client.jobs.submit("iris", tmp_path / name, upload=True)
    assert server.asked == []


def test_job_dry_run_reports(server, client):
    report = {"rows": 10, "errors": [{"line": 3, "code": "invalid", "message": "no number"}]}
    ended = job(status="completed", report=report)
    server.script(Answer(200, ended), Answer(202, job(status="validating")), events(ended))
    assert client.jobs.validate("iris", "/data/in.csv").report == report
    assert server.asked[0].headers["Prefer"] == "wait=30"
    assert client.jobs.validate("iris", "/data/long.csv").report == report
    assert server.calls[1:] == [
        ("POST", "/predict/batch/validate"),
        ("GET", "/predict/batch/j1/events"),
    ]


def test_job_dry_run_is_bounded_by_the_timeout(server, clock, tmp_path):
    (tmp_path / "in.csv").write_text("a\n1\n")
    server.behave = lambda _: Answer(200, job(status="completed"))
    with Client(server.url, timeout=5, clock=clock) as client:
        client.jobs.validate("iris", "/data/in.csv")
        client.jobs.validate("iris", tmp_path / "in.csv", upload=True)
    assert [asked.headers["Prefer"] for asked in server.asked] == ["wait=5"] * 2


def test_misspelt_job_option_is_named_with_the_one_that_is_meant(client):
    with pytest.raises(InvalidRequest, match="no such option; did you mean 'methods'"):
        client.jobs.submit("iris", "/data/in.csv", method="predict_proba")


def test_refused_job_says_why(server, client):
    server.script(problem(403, "place_forbidden"), problem(422, "invalid"))
    for _ in range(2):
        with pytest.raises(InvalidRequest):
            client.jobs.submit("iris", "/etc/passwd")


def test_uncertain_job_submission_is_looked_up(server, client):
    doubt = problem(503, "submission_uncertain")
    server.script(Answer(503, doubt.body | {"id": "j7"}), Answer(200, job("j7")))
    assert client.jobs.submit("iris", "/data/in.csv").id == "j7"
    server.script(Answer(503, doubt.body | {"id": "j8"}), problem(404, "job_not_found"))
    with pytest.raises(Unavailable):
        client.jobs.submit("iris", "/data/in.csv")


def test_job_is_never_submitted_twice(server, client):
    server.script(DROP)
    with pytest.raises(Unreachable):
        client.jobs.submit("iris", "/data/in.csv")


def test_jobs_are_listed(server, client):
    server.script(Answer(200, {"data": [job("j2"), job("j1")], "has_more": False}))
    found = client.jobs.list(5, after="j3", status="running")
    assert [job.id for job in found] == ["j2", "j1"]
    assert server.calls == [("GET", "/predict/batch?limit=5&after=j3&status=running")]


def test_job_is_cancelled_and_resumed(server, client):
    server.script(
        Answer(200, job(status="cancelling")), Answer(202, job()), problem(409, "job_conflict")
    )
    assert client.jobs.cancel("j1").status == "cancelling"
    assert client.jobs.resume("j1").status == "running"
    with pytest.raises(Conflict):
        client.jobs.resume("j1")
    assert server.calls == [
        ("DELETE", "/predict/batch/j1"),
        *[("POST", "/predict/batch/j1/resume")] * 2,
    ]


def test_job_is_followed_to_its_end(server, client):
    server.script(events(job(), job(status="finalizing"), job(status="completed")))
    statuses = [job.status for job in client.jobs.follow("j1")]
    assert statuses == ["running", "finalizing", "completed"]


def test_event_stream_that_breaks_is_opened_again(server, client, clock):
    server.script(events(job()), DROP, events(job(status="completed")))
    assert client.jobs.wait("j1").status == "completed"
    assert len(clock.slept) == 2


def test_job_is_polled_when_listeners_are_limited(server, client, clock):
    busy = problem(503, "busy", retryable=True)
    server.script(busy, Answer(200, job()), busy, Answer(200, job(status="completed")))
    assert [job.status for job in client.jobs.follow("j1")] == ["running", "completed"]
    assert server.calls == 2 * [
        ("GET", "/predict/batch/j1/events"),
        ("GET", "/predict/batch/j1"),
    ]


def test_server_that_stays_away_is_given_up(server, client, clock):
    server.behave = lambda _: DROP
    with pytest.raises(Unreachable):
        client.jobs.wait("j1")
    assert sum(clock.slept) == pytest.approx(120, abs=1)


def test_following_an_unreachable_server_gives_up_soon(nowhere, clock, tmp_path):
    jobs = Client(nowhere, clock=clock).jobs
    for call in (lambda: jobs.wait("j1"), lambda: jobs.download("j1", tmp_path / "out.csv")):
        before = clock.seconds
        with pytest.raises(Unreachable, match="no predictq answers"):
            call()
        assert clock.seconds - before == pytest.approx(3, abs=0.1)
    with pytest.raises(WaitTimeout):
        jobs.wait("j1", timeout=20)


def test_job_wait_ends(server, client):
    server.behave = lambda _: events(job())
    with pytest.raises(WaitTimeout, match="batch job j1 has not ended yet"):
        client.jobs.wait("j1", timeout=2)


@pytest.mark.parametrize("answer", [DROP, problem(503, "busy", retryable=True)])
def test_job_wait_ends_though_the_server_is_away(server, client, clock, answer):
    server.behave = lambda _: answer
    with pytest.raises(WaitTimeout):
        client.jobs.wait("j1", timeout=2)
    assert sum(clock.slept) == pytest.approx(2, abs=0.1)


def test_job_wait_ends_though_nothing_changes(server, client):
    news = events(job()).body + b":\n\n" * 2_000
    server.script(Answer(200, news, content_type="text/event-stream"))
    with pytest.raises(WaitTimeout):
        client.jobs.wait("j1", timeout=0.01)
    assert len(server.asked) == 1


def test_error_of_a_failed_job(server, client):
    error = {"code": "input_unreadable", "message": "it changed", "line": None, "new": 1}
    server.script(Answer(200, job(status="failed", error=error)))
    assert client.jobs.get("j1").error.message == "it changed"


def test_rows_that_failed(server, client):
    lines = [
        {"line": 3, "custom_id": "c", "code": "invalid", "message": "no number"},
        {"line": 5, "code": "invalid", "message": "short"},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    server.script(Answer(200, text.encode(), content_type="application/x-ndjson"))
    first, second = client.jobs.errors("j1")
    assert (first.line, first.custom_id, first.message) == (3, "c", "no number")
    assert (second.line, second.custom_id) == (5, None)


def test_job_paths_in_the_home(server, client, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "in.csv").write_text("a\n1\n")
    server.script(Answer(202, job()), Answer(202, job()), Answer(200, b"prediction\n"))
    client.jobs.submit("iris", "~/in.csv")
    client.jobs.submit("iris", "~/in.csv", upload=True)
    client.jobs.download("j1", "~/out.csv")
    assert server.asked[0].body["input_uri"] == f"{tmp_path}/in.csv"
    assert form(server.asked[1])[1] == "in.csv"
    assert (tmp_path / "out.csv").read_text() == "prediction\n"
