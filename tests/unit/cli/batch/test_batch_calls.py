"""`predictq batch MODEL INPUT OUTPUT` against a fake server."""

import pytest

from tests.unit.cli.batch.batch_harness import BAD, DONE, FLAWED, batch
from tests.unit.fake_server import Answer, events, job, problem


def test_local_files_are_referenced_and_not_uploaded(server, tmp_path):
    server.script(Answer(202, job()), events(job(), DONE))
    ran = batch("iris", tmp_path / "in.csv", tmp_path / "out.parquet", "--error-threshold", "0")
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert ran.stderr == "scored 10 rows in 2.5 s: /data/out.csv\n"
    assert server.asked[0].body == {
        "model": "iris",
        "input_uri": str(tmp_path / "in.csv"),
        "output_uri": str(tmp_path / "out.parquet"),
        "include_input": False,
        "error_threshold": 0,
    }


@pytest.mark.parametrize(
    "words",
    [
        ("run", "iris", "/in.csv", "/out.csv", "--method", "predict_proba"),
        ("--method", "predict_proba", "iris", "/in.csv", "/out.csv"),
        ("iris", "--method", "predict_proba", "/in.csv", "/out.csv"),
    ],
)
def test_options_may_stand_anywhere(server, words):
    server.script(Answer(202, job()), events(DONE))
    assert batch(*words).exit_code == 0
    assert server.asked[0].body["methods"] == ["predict_proba"]


@pytest.mark.parametrize(("name", "format_"), [("out.jsonl", "ndjson"), ("out.pq", "parquet")])
def test_files_are_uploaded_and_fetched_on_request(server, tmp_path, name, format_):
    (tmp_path / "in.csv").write_text("a\n1\n")
    server.script(Answer(202, job()), events(DONE), Answer(200, b"prediction\n1\n"))
    out = tmp_path / name
    ran = batch("iris", tmp_path / "in.csv", out, "--upload")
    assert ran.exit_code == 0, ran.output
    assert out.read_text() == "prediction\n1\n"
    assert f"scored 10 rows in 2.5 s: {out}" in ran.stderr
    assert b"a\n1\n" in server.asked[0].body
    assert f'name="output_format"\r\n\r\n{format_}'.encode() in server.asked[0].body
    assert server.calls[2] == ("GET", "/predict/batch/j1/output")


def test_output_that_cannot_be_fetched_stays_on_the_server(server, tmp_path):
    (tmp_path / "in.csv").write_text("a\n1\n")
    server.script(Answer(202, job()), events(DONE), problem(410, "result_gone"))
    out = tmp_path / "out.csv"
    ran = batch("iris", tmp_path / "in.csv", out, "--upload")
    assert (ran.exit_code, out.exists()) == (1, False)
    told = f"error: that is result_gone (to try again: predictq batch fetch j1 {out})\n"
    assert ran.stderr == told


def test_detaching_at_once_prints_the_id(server):
    server.script(Answer(202, job()))
    assert batch("iris", "/in.csv", "/out.csv", "--detach").stdout == "j1\n"


def test_rows_that_failed_are_told(server):
    server.script(Answer(202, job()), events(FLAWED), Answer(200, BAD * 7))
    ran = batch("iris", "/in.csv", "/out.csv")
    assert ran.exit_code == 0
    assert ran.stderr.count("  line 7: no number\n") == 5
    assert "7 rows failed:\n" in ran.stderr
    assert ran.stderr.endswith("all of them: predictq batch errors j1\n")


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (job(status="cancelled"), "error: the job was cancelled (to"),
        (
            job(status="failed", error={"code": "c", "message": "no rows", "line": 2}),
            "error: line 2: no rows (to",
        ),
        (
            job(status="failed", error={"code": "c", "message": "line 2: no rows", "line": 2}),
            "error: line 2: no rows (to",
        ),
    ],
)
def test_job_without_an_output_fails_the_command(server, end, told):
    server.script(Answer(202, job()), events(end))
    ran = batch("iris", "/in.csv", "/out.csv")
    assert ran.exit_code == 1
    assert ran.stderr.startswith(told)
    assert "predictq batch resume j1" in ran.stderr


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("invalid", "error: that is invalid\n"),
        (
            "place_forbidden",
            (
                "error: that is place_forbidden "
                "(to upload the file and fetch the output, give --upload)\n"
            ),
        ),
    ],
)
@pytest.mark.parametrize("rest", [["/out.csv"], ["--dry-run"]])
def test_refused_job_request_fails_the_command(server, code, told, rest):
    server.script(problem(422, code))
    ran = batch("iris", "/in.csv", *rest)
    assert (ran.exit_code, ran.stderr) == (1, told)


def test_fetched_output_cannot_be_compressed(server):
    assert batch("iris", "/in.csv", "out.csv.gz", "--upload").exit_code == 2
    assert server.asked == []


def test_fetched_output_never_replaces_the_input(server, tmp_path):
    (tmp_path / "in.csv").write_text("a\n1\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "in.csv")
    for name in ("in.csv", "link.csv"):
        ran = batch("iris", tmp_path / "in.csv", tmp_path / name, "--upload")
        assert (ran.exit_code, server.asked) == (2, [])


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("none/out.csv", "No such file or directory"),
        ("in.csv/out.csv", "Not a directory"),
        ("directory.csv", "Is a directory"),
    ],
)
def test_unwritable_output_is_reported_before_the_job_starts(server, tmp_path, output, reason):
    (tmp_path / "in.csv").write_text("a\n1\n")
    (tmp_path / "directory.csv").mkdir()
    ran = batch("iris", tmp_path / "in.csv", tmp_path / output, "--upload")
    assert ran.stderr == f"error: {tmp_path / output} cannot be written: {reason}\n"
    assert (ran.exit_code, server.asked) == (1, [])


@pytest.mark.parametrize(
    "words",
    [("iris", "/in.csv", "-"), ("iris", "-", "/out.csv"), ("fetch", "j1", "-")],
    ids=["output", "input", "fetch"],
)
def test_standard_streams_are_refused(server, words):
    ran = batch(*words)
    assert (ran.exit_code, server.asked) == (2, [])
    assert "`-` is not a file" in ran.stderr


def test_dry_run_shows_the_report(server):
    errors = [{"line": 3, "code": "invalid", "message": "no number"}]
    report = {"rows": 1000, "columns": ["a", "b"], "estimated_seconds": 3700.0, "errors": errors}
    server.script(Answer(200, DONE | {"report": report}))
    ran = batch("iris", "/in.csv", "--dry-run")
    assert ran.stdout == (
        "1,000 rows\ncolumns: a, b\nwould take about 1:01:40\nline 3: no number\n"
    )
    failed = job(status="failed", error={"code": "c", "message": "no such file"})
    server.script(Answer(200, failed))
    assert batch("iris", "/in.csv", "--dry-run").stderr == "error: no such file\n"


def test_csv_options_are_sent_and_the_dialect_is_shown(server):
    report = {"rows": 1, "columns": ["a"], "ignored": ["id", "x"], "header": False}
    report |= {"delimiter": "\t", "na": ["", "NA", "-"]}
    server.script(Answer(202, job()), events(DONE | {"report": report}))
    ran = batch("iris", "/in.csv", "/o.csv", "--delimiter", "tab", "--no-header", "--na", "-")
    body = server.asked[0].body
    assert (body["delimiter"], body["header"], body["na"]) == ("\t", False, ["-"])
    assert ran.stderr.endswith(
        "/data/out.csv\nignored: id, x\nread as CSV with no header, delimiter tab; missing: '-'\n"
    )


@pytest.mark.parametrize("text", ["", "ab", '"', "1", "a"])
def test_invalid_delimiter_is_refused(server, text):
    ran = batch("iris", "/in.csv", "/o.csv", "--delimiter", text)
    assert (ran.exit_code, server.asked) == (2, [])
    assert "give one character" in ran.stderr


@pytest.mark.parametrize(
    ("source", "output", "told"),
    [
        ("in.xlsx", "out.csv", "save it as CSV"),
        ("in.csv", "out.xlsx", "name it out.csv"),
        ("in.csv", "out.txt", "shows no format"),
    ],
)
@pytest.mark.parametrize("sending", [(), ("--upload",)])
def test_names_of_no_format_are_refused(server, source, output, told, sending):
    ran = batch("iris", source, output, *sending)
    assert (ran.exit_code, server.asked) == (2, [])
    assert told in " ".join(ran.stderr.split())


def test_dry_run_takes_no_output(server):
    assert batch("iris", "/in.csv").exit_code == 2
    assert batch("iris", "/in.csv", "/out.csv", "--dry-run").exit_code == 2
    assert server.asked == []


def test_ctrl_c_without_a_terminal_detaches(server, monkeypatch):
    server.script(Answer(202, job()))
    monkeypatch.setattr("predictq.jobs.jobs.Jobs.follow", _interrupt)
    ran = batch("iris", "/in.csv", "/out.csv")
    assert ran.exit_code == 130
    assert ran.stderr == "job j1 continues; to follow it: predictq batch status j1 --follow\n"


def _interrupt(*_):
    raise KeyboardInterrupt
