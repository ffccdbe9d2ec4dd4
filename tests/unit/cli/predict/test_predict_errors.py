"""`predictq predict` names the line of an error, and leaves the output file unchanged."""

import pytest

from cli.predict.windowed import ROWS_PER_WINDOW
from tests.unit.cli.predict.service import run, write
from tests.unit.fake_server import outcome, pending, problem, succeeded


def fails(*arguments):
    done = run("iris", *arguments)
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    return done.stderr


def test_rows_that_are_refused_are_named_by_their_line_and_the_others_answered(server, tmp_path):
    faults = [
        {"loc": ["features", 0, "age"], "msg": "row 1, column 'age': no", "row": 0},
        {"loc": ["features", 0, "size"], "msg": "row 1, column 'size': no", "row": 0},
        {"loc": ["features", 2], "msg": "wrong", "row": 2},
    ]
    answers = problem(422, "invalid_features", faults), pending("0"), succeeded([7], "0")
    server.script(*answers)
    source = write(tmp_path / "rows.csv", "age\n\nx\n1\ny\n")
    done = run("iris", "--file", source)
    assert (done.exit_code, done.stdout) == (1, "\n7\n\n")
    assert done.stderr == (
        "line 3, column 'age': no\nline 3, column 'size': no\nline 5: wrong\n"
        "error: 2 of 3 rows failed\n"
    )
    assert [asked.body["features"] for asked in server.asked if asked.method == "POST"] == [
        [{"age": "x"}, {"age": 1}, {"age": "y"}],
        [{"age": 1}],
    ]


def test_refusal_for_other_reasons_than_rows_ends_the_command(server, tmp_path):
    faults = [
        {"loc": ["features", 0, "age"], "msg": "row 1, column 'age': no", "row": 0},
        {"loc": ["model"], "msg": "strange"},
    ]
    server.script(problem(422, "invalid_features", faults))
    source = write(tmp_path / "rows.csv", "age\n\nx\ny\n")
    assert fails("--file", source) == "error: line 3, column 'age': no\nerror: strange\n"


def test_refused_row_is_named_in_later_requests(service, tmp_path):
    service.refused, service.answer = "x", lambda row: row["a"]
    source = write(tmp_path / "rows.csv", "a\n" + "1\n" * (ROWS_PER_WINDOW + 5) + "x\n" + "1\n" * 3)
    done = run("iris", "--file", source, "--json")
    assert done.exit_code == 1
    assert done.stderr == (
        f"line {ROWS_PER_WINDOW + 7}, column 'a': no\n"
        f"error: 1 of {ROWS_PER_WINDOW + 9:,} rows failed\n"
    )
    assert done.stdout.splitlines() == ["1"] * (ROWS_PER_WINDOW + 5) + ["null"] + ["1"] * 3


def test_rows_for_which_the_model_raises_are_found_by_bisection(service, tmp_path):
    service.guilty = 13
    rows = "".join(f"{number}\n" for number in (*range(2, 30), 13))
    done = run("iris", "--file", write(tmp_path / "rows.csv", rows))
    assert done.exit_code == 1
    assert done.stderr == "line 12: it raised\nline 29: it raised\nerror: 2 of 29 rows failed\n"
    assert done.stdout.splitlines() == [
        str(number) if number != 13 else "" for number in (*range(2, 30), 13)
    ]


def test_output_is_not_written_without_answers(service, tmp_path):
    service.guilty = 13
    target = write(tmp_path / "predictions.csv", "old\n")
    source = write(tmp_path / "rows.json", "[[13], [13]]")
    assert fails("--file", source, "--output", target) == (
        "error: row 1: it raised\nerror: row 2: it raised\nerror: none of 2 rows can be answered\n"
    )
    assert target.read_text() == "old\n"


def test_failure_of_a_request_names_its_rows(server, tmp_path):
    error = {"code": "worker_lost", "message": "it is gone", "retryable": True}
    server.script(pending(), outcome("failed", error=error))
    source = write(tmp_path / "rows.json", "[[1], [2]]")
    assert fails("--file", source) == "error: row 1 to row 2: it is gone\n"


def test_problem_of_the_server_is_shown(server):
    server.script(problem(404, "model_not_found"))
    assert fails("--row", "1") == "error: that is model_not_found\n"


def test_output_file_is_unchanged_by_a_failure(server, tmp_path):
    server.script(problem(404, "model_not_found"))
    target = write(tmp_path / "predictions.csv", "old\n")
    fails("--row", "1", "--output", target)
    assert target.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [target]


def test_output_that_cannot_be_created_is_refused(service, tmp_path):
    assert "No such file" in fails("--row", "1", "--output", tmp_path / "no" / "x")


def test_unreachable_server_is_an_error():
    told = fails("--row", "1", "--url", "http://127.0.0.1:1")
    assert told.startswith("error: no predictq answers at http://127.0.0.1:1: ")


def test_invalid_address_is_refused():
    assert fails("--row", "1", "--url", "nonsense").startswith("error: not an http address")


def test_missing_file_is_reported(tmp_path):
    told = fails("--file", tmp_path / "no.csv")
    assert told == f"error: {tmp_path / 'no.csv'}: No such file or directory\n"


def test_binary_file_is_refused(server, tmp_path):
    for content in (b"\xff\xfe\x00", "a\n1\n".encode("utf-16-le")):
        (tmp_path / "rows.csv").write_bytes(content)
        told = fails("--file", tmp_path / "rows.csv")
        assert told.endswith("not UTF-8 text; save it as UTF-8\n")


def test_invalid_row_is_named_and_not_sent(service, tmp_path):
    done = run("iris", "--file", write(tmp_path / "rows.csv", "5,2\n3\n4,5\n"))
    assert (done.exit_code, done.stdout) == (1, "7\n\n9\n")
    assert done.stderr == "line 2: expected 2 fields, found 1\nerror: 1 of 3 rows failed\n"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("rows.xlsx", b"a\n1\n", "is a spreadsheet; save it as CSV (UTF-8)"),
        ("rows.csv", b"PK\x03\x04\0\0", "or another archive; save it as CSV (UTF-8)"),
        ("rows.csv", b"\xd0\xcf\x11\xe0\0", "of an old format; save it as CSV (UTF-8)"),
        ("rows.parquet", b"PAR1", "is neither CSV nor JSON; use predictq batch for it"),
        ("rows.csv.gz", b"\x1f\x8b", "is neither CSV nor JSON; use predictq batch for it"),
    ],
)
def test_unsupported_file_is_refused_with_advice(server, tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    assert reason in fails("--file", tmp_path / name)


@pytest.mark.parametrize("name", ["out.xlsx", "out.ods", "out.parquet", "out.csv.gz"])
def test_output_of_another_format_is_refused(server, tmp_path, name):
    done = run("iris", "--row", "1", "--output", tmp_path / name)
    assert (done.exit_code, server.asked, list(tmp_path.iterdir())) == (2, [], [])
    assert "CSV" in done.stderr or "name it out.csv" in done.stderr


def test_csv_options_do_not_fit_json(server, tmp_path):
    source = write(tmp_path / "rows.json", "[[1]]")
    assert "are for CSV" in fails("--file", source, "--no-header")
