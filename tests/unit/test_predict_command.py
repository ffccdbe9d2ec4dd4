"""`predictq predict` from file to lines, against a real server that acts out the contract."""

import io
import json
import os
import pty
import threading
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from stand_in import outcome, pending, problem, stand_in, succeeded

from cli.flight import ROWS, WINDOW
from cli.predict import predict
from cli.progress import Progress
from cli.rows import Unreadable, read


class Service:
    """Answers each submission, at the second look, with what `answer` makes of its rows."""

    def __init__(self, answer):
        self.answer = answer
        self.submissions = []
        self.flying = set()
        self.most_flying = 0
        self.looks = {}
        self.lock = threading.Lock()

    def __call__(self, asked):
        with self.lock:
            return self.submit(asked.body) if asked.method == "POST" else self.look(asked.path)

    def submit(self, body):
        self.submissions.append(body)
        number = str(len(self.submissions) - 1)
        self.flying.add(number)
        self.most_flying = max(self.most_flying, len(self.flying))
        return pending(number)

    def look(self, path):
        number = path.rpartition("/")[2]
        self.looks[number] = self.looks.get(number, 0) + 1
        if self.looks[number] < 2:
            return pending(number, retry_after="0")
        self.flying.discard(number)
        features = self.submissions[int(number)]["features"]
        return succeeded([self.answer(row) for row in features], number)


@pytest.fixture
def server(monkeypatch):
    with stand_in() as stand:
        monkeypatch.setenv("PREDICTQ_URL", stand.url)
        yield stand


@pytest.fixture
def service(server):
    server.behave = Service(sum)
    return server.behave


def run(*arguments, stdin=None):
    return CliRunner().invoke(predict, [str(part) for part in arguments], input=stdin)


def write(path, text):
    path.write_text(text)
    return path


class TestCommand:
    def test_writes_a_line_a_row(self, service, tmp_path):
        done = run("iris", "--file", write(tmp_path / "rows.csv", "1,2\n3,4.5\n"))
        assert (done.exit_code, done.stdout, done.stderr) == (0, "3\n7.5\n", "")
        assert service.submissions == [
            {"model": "iris", "features": [[1, 2], [3, 4.5]], "method": "predict"}
        ]

    def test_a_header_makes_objects(self, service, tmp_path):
        service.answer = lambda row: row["city"]
        source = write(tmp_path / "rows.csv", 'age,city\n1,"a, b"\n,true\n')
        done = run("iris@production", "--file", source, "--method", "decision_function")
        assert done.stdout == '"a, b"\ntrue\n'
        assert service.submissions == [
            {
                "model": "iris@production",
                "features": [{"age": 1, "city": "a, b"}, {"age": None, "city": "true"}],
                "method": "decision_function",
            }
        ]

    def test_standard_input(self, service):
        assert run("iris", "--file", "-", stdin="1,2\n").stdout == "3\n"

    def test_rows_on_the_command_line(self, service):
        assert run("iris", "--row", "5.1,3.5,1.4", "--row", "1,2,3").stdout == "10.0\n6\n"

    def test_rows_are_split_kept_in_flight_and_written_in_order(self, service, tmp_path):
        count = 6 * ROWS + 1
        source = write(tmp_path / "rows.csv", "".join(f"{number},0\n" for number in range(count)))
        done = run("iris", "--file", source)
        assert done.stdout == "".join(f"{number}\n" for number in range(count))
        assert [len(body["features"]) for body in service.submissions] == [ROWS] * 6 + [1]
        assert service.most_flying == WINDOW

    def test_several_columns(self, service):
        service.answer = lambda row: [0.25, None, "a,b", True, [1, 2]]
        assert run("iris", "--row", "1").stdout == '0.25,,"a,b",true,"[1, 2]"\n'

    def test_as_json(self, service):
        service.answer = lambda row: [0.25, None, "ü"]
        done = run("iris", "--row", "1", "--row", "2", "--json")
        assert done.stdout == '[0.25, null, "ü"]\n' * 2

    def test_output_into_a_file(self, service, tmp_path):
        target = tmp_path / "predictions.csv"
        done = run("iris", "--row", "1,2", "--output", target)
        assert (done.exit_code, done.stdout) == (0, "")
        assert target.read_text() == "3\n"

    def test_output_into_a_pipe(self, service, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        assert run("iris", "--row", "1,2", "--output", tmp_path / "pipe").exit_code == 0
        with os.fdopen(reader) as stream:
            assert stream.read() == "3\n"

    @pytest.mark.parametrize("arguments", [(), ("--file", "-", "--row", "1")])
    def test_rows_come_from_one_place(self, server, arguments):
        done = run("iris", *arguments)
        assert done.exit_code == 2
        assert "either --file or --row" in done.stderr


class TestErrors:
    def fails(self, *arguments):
        done = run("iris", *arguments)
        assert done.exit_code == 1
        assert isinstance(done.exception, SystemExit)
        return done.stderr

    def test_rows_are_named_by_their_line(self, server, tmp_path):
        faults = [
            {"loc": ["features", 0, "age"], "msg": "row 0, column 'age': no", "row": 0},
            {"loc": ["features", 1], "msg": "wrong", "row": 1},
            {"loc": ["model"], "msg": "strange"},
        ]
        server.script(problem(422, "invalid_features", faults))
        source = write(tmp_path / "rows.csv", "age\n\nx\ny\n")
        assert self.fails("--file", source) == (
            "error: line 3, column 'age': no\nerror: line 4: wrong\nerror: strange\n"
        )

    def test_the_row_is_named_in_later_requests_too(self, server, tmp_path):
        fault = {"loc": ["features", 5], "msg": "row 5 has 1 feature", "row": 5}
        server.script(pending("0"), problem(422, "invalid_features", [fault]))
        source = write(tmp_path / "rows.csv", "a\n" + "1\n" * (ROWS + 9))
        assert self.fails("--file", source) == f"error: line {ROWS + 7} has 1 feature\n"

    def test_a_failed_prediction_names_its_rows(self, server, tmp_path):
        error = {"code": "model_error", "message": "it raised", "retryable": False}
        server.script(pending(), outcome("failed", error=error))
        source = write(tmp_path / "rows.json", "[[1], [2]]")
        assert self.fails("--file", source) == "error: row 1 to row 2: it raised\n"

    def test_other_problems(self, server):
        server.script(problem(404, "model_not_found"))
        assert self.fails("--row", "1") == "error: that is model_not_found\n"

    def test_an_output_stays_as_it_was(self, server, tmp_path):
        server.script(problem(404, "model_not_found"))
        target = write(tmp_path / "predictions.csv", "old\n")
        self.fails("--row", "1", "--output", target)
        assert target.read_text() == "old\n"
        assert list(tmp_path.iterdir()) == [target]

    def test_an_output_that_cannot_be(self, service, tmp_path):
        assert "No such file" in self.fails("--row", "1", "--output", tmp_path / "no" / "x")

    def test_nobody_listens(self):
        told = self.fails("--row", "1", "--url", "http://127.0.0.1:1")
        assert told.startswith("error: cannot reach 127.0.0.1:1: ")

    def test_an_address_that_is_none(self):
        assert self.fails("--row", "1", "--url", "nonsense").startswith(
            "error: not an http address"
        )

    def test_a_file_that_is_not_there(self, tmp_path):
        told = self.fails("--file", tmp_path / "no.csv")
        assert told == f"error: {tmp_path / 'no.csv'}: No such file or directory\n"

    def test_a_file_that_is_no_text(self, tmp_path):
        (tmp_path / "rows.csv").write_bytes(b"\xff\xfe\x00")
        assert self.fails("--file", tmp_path / "rows.csv").endswith("not UTF-8 text\n")

    def test_a_file_that_cannot_be_read_names_the_line(self, tmp_path):
        source = write(tmp_path / "rows.csv", "1,2\n3\n")
        assert self.fails("--file", source) == (
            f"error: {source}: line 2: 1 cells where the first line has 2\n"
        )


class TestReading:
    def rows(self, text, name="rows.csv"):
        return [(row.place, row.value) for row in read(name, io.StringIO(text))]

    @pytest.mark.parametrize(
        ("text", "rows"),
        [
            ("1,2\n", [[1, 2]]),
            ("1,,nan\n", [[1, None, None]]),
            ("1, -2.5e3 ,inf\n", [[1, -2500.0, float("inf")]]),
            ("a,b\n1,x\n", [{"a": 1, "b": "x"}]),
            ("1,b\n1,2\n", [{"1": 1, "b": 2}]),
            ("a\ntrue\n1_000\n", [{"a": "true"}, {"a": "1_000"}]),
            ("1\n\n2\n", [[1], [2]]),
            ("9007199254740993\n", [[9007199254740993]]),
        ],
    )
    def test_csv(self, text, rows):
        assert [value for _, value in self.rows(text)] == rows

    def test_csv_places(self):
        assert [place for place, _ in self.rows('a\n1\n\n"x\ny"\n2\n')] == [
            "line 2", "line 5", "line 6",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("text", "rows"),
        [
            ("[[1, 2], [3, null]]", [[1, 2], [3, None]]),
            ('[{"a": "1"}]', [{"a": "1"}]),
            ("[1, 2]", [[1, 2]]),
            ('{"a": 1}', [{"a": 1}]),
        ],
    )
    def test_json(self, text, rows):
        assert self.rows(text, "rows.JSON") == [(f"row {n}", row) for n, row in enumerate(rows, 1)]

    @pytest.mark.parametrize("name", ["rows.ndjson", "rows.jsonl"])
    def test_ndjson(self, name):
        assert self.rows('[1]\n\n{"a": true}\n', name) == [
            ("line 1", [1]),
            ("line 3", {"a": True}),
        ]

    @pytest.mark.parametrize(
        ("name", "text", "told"),
        [
            ("rows.csv", "", "no rows"),
            ("rows.csv", "a,b\n", "no rows"),
            ("rows.csv", "a,b,a\n1,2,3\n", "line 1: the header names a more than once"),
            ("rows.csv", "a,b\n1,2,3\n", "line 2: 3 cells where the first line has 2"),
            ("rows.csv", 'a\n"x\n', "line 2: unexpected end of data"),
            ("rows.json", "[]", "no rows"),
            ("rows.json", "3", "expected an array of rows"),
            ("rows.json", "[", "not JSON"),
            ("rows.ndjson", "[1]\n[\n", "line 2: not JSON"),
        ],
    )
    def test_what_is_wrong_is_told(self, name, text, told):
        with pytest.raises(Unreadable, match=told):
            self.rows(text, name)

    def test_json_nested_too_deeply_is_told(self):
        with pytest.raises(Unreadable, match="line 1: nested too deeply"):
            self.rows("[" * 500_000, "rows.ndjson")

    def test_a_byte_order_mark_is_no_part_of_a_name(self, service, tmp_path):
        service.answer = json.dumps
        (tmp_path / "rows.csv").write_bytes("\ufeffage\n1\n".encode())
        assert run("iris", "--file", tmp_path / "rows.csv").exit_code == 0
        assert service.submissions[0]["features"] == [{"age": 1}]


class TestProgress:
    @pytest.fixture
    def terminal(self, monkeypatch):
        """Standard error as a terminal; gives what it was told."""
        leader, follower = pty.openpty()
        stream = os.fdopen(follower, "w")
        # sys.stderr itself is pytest's, which sets it anew for the test.
        monkeypatch.setattr("cli.progress.sys", SimpleNamespace(stderr=stream))

        def told():
            print("<end>", file=stream, flush=True)
            text = ""
            while "<end>" not in text:
                text += os.read(leader, 10_000).decode()
            return text.partition("<end>")[0]

        yield told
        stream.close()
        os.close(leader)

    def test_is_shown_to_those_who_wait(self, terminal, monkeypatch):
        monkeypatch.setattr("cli.progress.GLANCE", 0.0)
        with Progress(10) as progress:
            progress.advance(0)
            progress.advance(4)
            progress.advance(6)
        told = terminal()
        assert "4/10" in told
        assert "10/10" in told

    def test_is_not_shown_for_a_moment(self, terminal):
        with Progress(10) as progress:
            progress.advance(10)
        assert terminal() == ""
