"""`predictq predict` names the line of what is wrong, and leaves the output as it was."""

from cli.flight import ROWS
from tests.unit.predict_command.service import run, write
from tests.unit.stand_in import outcome, pending, problem


def fails(*arguments):
    done = run("iris", *arguments)
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    return done.stderr


def test_rows_are_named_by_their_line(server, tmp_path):
    faults = [
        {"loc": ["features", 0, "age"], "msg": "row 0, column 'age': no", "row": 0},
        {"loc": ["features", 1], "msg": "wrong", "row": 1},
        {"loc": ["model"], "msg": "strange"},
    ]
    server.script(problem(422, "invalid_features", faults))
    source = write(tmp_path / "rows.csv", "age\n\nx\ny\n")
    assert fails("--file", source) == (
        "error: line 3, column 'age': no\nerror: line 4: wrong\nerror: strange\n"
    )


def test_the_row_is_named_in_later_requests_too(server, tmp_path):
    fault = {"loc": ["features", 5], "msg": "row 5 has 1 feature", "row": 5}
    server.script(pending("0"), problem(422, "invalid_features", [fault]))
    source = write(tmp_path / "rows.csv", "a\n" + "1\n" * (ROWS + 9))
    assert fails("--file", source) == f"error: line {ROWS + 7} has 1 feature\n"


def test_a_failed_prediction_names_its_rows(server, tmp_path):
    error = {"code": "model_error", "message": "it raised", "retryable": False}
    server.script(pending(), outcome("failed", error=error))
    source = write(tmp_path / "rows.json", "[[1], [2]]")
    assert fails("--file", source) == "error: row 1 to row 2: it raised\n"


def test_other_problems(server):
    server.script(problem(404, "model_not_found"))
    assert fails("--row", "1") == "error: that is model_not_found\n"


def test_an_output_stays_as_it_was(server, tmp_path):
    server.script(problem(404, "model_not_found"))
    target = write(tmp_path / "predictions.csv", "old\n")
    fails("--row", "1", "--output", target)
    assert target.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [target]


def test_an_output_that_cannot_be(service, tmp_path):
    assert "No such file" in fails("--row", "1", "--output", tmp_path / "no" / "x")


def test_nobody_listens_there():
    told = fails("--row", "1", "--url", "http://127.0.0.1:1")
    assert told.startswith("error: no predictq answers at http://127.0.0.1:1: ")


def test_an_address_that_is_none():
    assert fails("--row", "1", "--url", "nonsense").startswith("error: not an http address")


def test_a_file_that_is_not_there(tmp_path):
    told = fails("--file", tmp_path / "no.csv")
    assert told == f"error: {tmp_path / 'no.csv'}: No such file or directory\n"


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "rows.csv").write_bytes(b"\xff\xfe\x00")
    assert fails("--file", tmp_path / "rows.csv").endswith("not UTF-8 text\n")


def test_a_file_that_cannot_be_read_names_the_line(tmp_path):
    source = write(tmp_path / "rows.csv", "1,2\n3\n")
    assert fails("--file", source) == (
        f"error: {source}: line 2: 1 cells where the first line has 2\n"
    )
