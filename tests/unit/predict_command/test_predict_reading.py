"""Rows out of CSV, JSON and NDJSON, each with its place."""

import io
import json

import pytest

from cli.rows import Unreadable, read
from tests.unit.predict_command.service import run


def rows_of(text, name="rows.csv"):
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
def test_csv(text, rows):
    assert [value for _, value in rows_of(text)] == rows


def test_csv_places():
    assert [place for place, _ in rows_of('a\n1\n\n"x\ny"\n2\n')] == [
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
def test_json(text, rows):
    assert rows_of(text, "rows.JSON") == [(f"row {n}", row) for n, row in enumerate(rows, 1)]


@pytest.mark.parametrize("name", ["rows.ndjson", "rows.jsonl"])
def test_ndjson(name):
    assert rows_of('[1]\n\n{"a": true}\n', name) == [
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
def test_what_is_wrong_is_told(name, text, told):
    with pytest.raises(Unreadable, match=told):
        rows_of(text, name)


def test_json_nested_too_deeply_is_told():
    with pytest.raises(Unreadable, match="line 1: nested too deeply"):
        rows_of("[" * 500_000, "rows.ndjson")


def test_a_byte_order_mark_is_no_part_of_a_name(service, tmp_path):
    service.answer = json.dumps
    (tmp_path / "rows.csv").write_bytes("\ufeffage\n1\n".encode())
    assert run("iris", "--file", tmp_path / "rows.csv").exit_code == 0
    assert service.submissions[0]["features"] == [{"age": 1}]
