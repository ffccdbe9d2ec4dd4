"""`predictq predict`, from rows to output lines."""

import os

import pytest

from cli.predict.windowed import ROWS_PER_WINDOW, WINDOW
from tests.unit.cli.predict.service import run, write


def test_predict_writes_one_line_for_each_row(service, tmp_path):
    done = run("iris", "--file", write(tmp_path / "rows.csv", "2,1\n3,4.5\n"))
    assert (done.exit_code, done.stdout, done.stderr) == (0, "3\n7.5\n", "")
    assert service.submissions == [
        {"model": "iris", "features": [[2, 1], [3, 4.5]], "method": "predict"}
    ]


def test_csv_header_makes_objects(service, tmp_path):
    service.answer = lambda row: row["city"]
    source = write(tmp_path / "rows.csv", 'age,city\n1,"a, b"\n,tru\n')
    done = run("iris@production", "--file", source, "--method", "decision_function")
    assert done.stdout == '"a, b"\ntru\n'
    assert service.submissions == [
        {
            "model": "iris@production",
            "features": [{"age": 1, "city": "a, b"}, {"age": None, "city": "tru"}],
            "method": "decision_function",
        }
    ]


def test_time_limits_apply_to_each_request(service):
    limits = {"max_queue_seconds": 60.0, "timeout_seconds": 2.5}
    options = "--max-queue-seconds", "60", "--timeout-seconds", "2.5"
    assert run("iris", "--row", "1,2", *options).stdout == "3\n"
    told = {"model": "iris", "features": [[1, 2]], "method": "predict"}
    assert service.submissions == [told | limits]


def test_sticky_key_goes_with_each_request(service):
    assert run("iris@production", "--row", "1,2", "--sticky", "user 7").stdout == "3\n"
    (sent,) = service.submissions
    assert sent["sticky"] == "user 7"


def test_predict_reads_standard_input(service):
    assert run("iris", "--file", "-", stdin="1,2\n").stdout == "3\n"


def test_predict_reads_rows_from_the_command_line(service):
    assert run("iris", "--row", "5.1,3.5,1.4", "--row", "1,2,3").stdout == "10.0\n6\n"


def test_rows_are_split_kept_in_flight_and_written_in_order(service, tmp_path):
    count = 6 * ROWS_PER_WINDOW + 1
    source = write(tmp_path / "rows.csv", "".join(f"{number},0\n" for number in range(count)))
    done = run("iris", "--file", source)
    assert done.stdout == "".join(f"{number}\n" for number in range(count))
    assert [len(body["features"]) for body in service.submissions] == [ROWS_PER_WINDOW] * 6 + [1]
    assert service.most_flying == WINDOW


def test_output_of_several_columns(service):
    service.answer = lambda row: [0.25, None, "a,b", True, [1, 2]]
    assert run("iris", "--row", "1").stdout == '0.25,,"a,b",true,"[1, 2]"\n'


def test_predict_json_output(service):
    service.answer = lambda row: [0.25, None, "ü"]
    done = run("iris", "--row", "1", "--row", "2", "--json")
    assert done.stdout == '[0.25, null, "ü"]\n' * 2


def test_predict_output_into_a_file(service, tmp_path):
    target = tmp_path / "predictions.csv"
    done = run("iris", "--row", "1,2", "--output", target)
    assert (done.exit_code, done.stdout) == (0, "")
    assert target.read_text() == "3\n"


def test_predict_output_into_a_pipe(service, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert run("iris", "--row", "1,2", "--output", tmp_path / "pipe").exit_code == 0
    with os.fdopen(reader) as stream:
        assert stream.read() == "3\n"


@pytest.mark.parametrize("arguments", [(), ("--file", "-", "--row", "1")])
def test_rows_come_from_one_source(server, arguments):
    done = run("iris", *arguments)
    assert done.exit_code == 2
    assert "either --file or --row" in done.stderr
