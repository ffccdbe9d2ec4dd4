"""`predictq batch status`, `resume` and the others that act on a job, against a fake server."""

import json

import pytest

from tests.unit.cli.batch.batch_harness import BAD, COUNTS, DONE, batch
from tests.unit.fake_server import Answer, events, job


@pytest.mark.parametrize(
    "code", ["too_many_failures", "invalid_input", "input_changed", "model_error"]
)
def test_permanent_failure_suggests_no_resume(server, code):
    failed = job(status="failed", error={"code": code, "message": "wrong", "line": None})
    none = failed | {"counts": COUNTS}
    server.script(events(failed), Answer(200, failed), events(none), Answer(200, none))
    ran = batch("status", "j1", "--follow")
    assert ran.stderr == "error: wrong (the rows that failed: predictq batch errors j1)\n"
    assert batch("status", "j1", "--follow").stderr == "error: wrong\n"


@pytest.mark.parametrize("code", ["input_unreadable", "output_unwritable", "worker_lost"])
def test_temporary_failure_suggests_a_resume(server, code):
    failed = job(status="failed", error={"code": code, "message": "wrong", "line": None})
    server.script(events(failed), Answer(200, failed))
    assert batch("status", "j1", "--follow").stderr.endswith("predictq batch resume j1)\n")


def test_jobs_are_listed(server):
    page = {"data": [job("j2"), DONE], "has_more": False}
    server.behave = lambda _: Answer(200, page)
    header, first, second = batch("list", "--status", "running").stdout.splitlines()
    assert header.split() == ["ID", "STATUS", "MODEL", "ROWS", "FAILED", "CREATED", "INPUT"]
    assert first.split() == [
        *("j2", "running", "iris:3", "10", "1", "2026-11-21T06:00:00+00:00", "/data/in.csv")
    ]
    assert second.startswith("j1  completed")
    assert server.calls == [("GET", "/predict/batch?limit=20&status=running")]
    assert json.loads(batch("list", "--json").stdout) == page


def test_job_is_shown(server):
    server.behave = lambda _: Answer(200, job())
    shown = batch("status", "j1").stdout
    assert "progress  4 of 10 rows, 1 failed, 2,000 rows/s, 1:05 left\n" in shown
    assert json.loads(batch("status", "j1", "--json").stdout) == job()
    server.script(events(job(), DONE))
    assert "status    completed\n" in batch("status", "j1", "--follow").stdout


def test_jobs_are_cancelled(server):
    server.script(Answer(200, job(status="cancelling")), Answer(200, job("j2", "completed")))
    assert batch("cancel", "j1", "j2").stdout == "job j1 is cancelling\njob j2 is completed\n"


def test_job_is_resumed_and_followed(server):
    server.script(Answer(202, job()), events(DONE), Answer(202, job()))
    assert batch("resume", "j1").stderr.endswith("scored 10 rows in 2.5 s: /data/out.csv\n")
    assert batch("resume", "j1", "--detach").stderr == "job j1 is running\n"


def test_output_kept_with_its_job_shows_the_fetch_command(server):
    kept = DONE | {"output": {"uri": "/home/a/.predictq/jobs/j1/output", "format": "csv"}}
    server.script(Answer(202, job()), events(kept))
    assert batch("resume", "j1").stderr.endswith("2.5 s: predictq batch fetch j1 OUTPUT\n")


@pytest.mark.parametrize("status", ["failed", "cancelled", "expired"])
def test_following_a_job_without_an_output_fails(server, status):
    ended = job(status=status)
    server.script(events(ended), Answer(200, ended))
    ran = batch("status", "j1", "--follow")
    assert (ran.exit_code, f"status    {status}\n" in ran.stdout) == (1, True)
    assert ran.stderr.startswith(f"error: the job was {status} (to go on")
    assert batch("status", "j1").exit_code == 0


@pytest.mark.parametrize("words", [("list",), ("status", "j1"), ("status", "j1", "--follow")])
@pytest.mark.parametrize("body", [{"data": [{}]}, {"status": "ok"}])
def test_foreign_server_is_reported_in_one_line(server, words, body):
    server.behave = lambda asked: events(body) if "events" in asked.path else Answer(200, body)
    ran = batch(*words)
    assert (ran.exit_code, ran.stderr.count("\n")) == (1, 1)
    assert "is the address right?" in ran.stderr


def test_errors_and_output_are_fetched(server, tmp_path):
    server.script(Answer(200, BAD * 2), Answer(200, b"prediction\n"))
    assert batch("errors", "j1").stdout.count('"line": 7') == 2
    assert batch("fetch", "j1", tmp_path / "out.csv").exit_code == 0
    assert (tmp_path / "out.csv").read_text() == "prediction\n"
