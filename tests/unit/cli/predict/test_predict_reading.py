"""Rows from CSV, JSON and NDJSON, each with its location in the file."""

import json

import pytest

from cli.predict.model_inputs import Column, VersionInputs
from cli.predict.reading import read_rows
from cli.predict.rows import Unreadable
from tasks.jobs.files.dialect import Dialect
from tests.unit.cli.predict.service import run


def found(text, name="rows.csv", takes=None, **said):
    return read_rows(name, text.encode(), lambda: takes, Dialect(**said))


def rows_of(text, name="rows.csv"):
    return [(row.location, row.value) for row in found(text, name).rows]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("1,2\n", [[1, 2]]),
        ("1,,nan\n", [[1, None, None]]),
        ("1, -2.5e3 ,inf\n", [[1, -2500.0, float("inf")]]),
        ("a,b\n1,x\n", [{"a": 1, "b": "x"}]),
        ("1,b\n1,2\n", [{"1": 1, "b": 2}]),
        ("a\ntrue\n1_000\n", [{"a": True}, {"a": "1_000"}]),
        ("1\n\n2\n", [[1], [2]]),
        ("9007199254740993\n", [[9007199254740993]]),
    ],
)
def test_csv_rows_are_read(text, rows):
    assert [value for _, value in rows_of(text)] == rows


def test_csv_lines():
    assert [line for line, _ in rows_of('a\n1\n\n"x\ny"\n2\n')] == [
        "line 2",
        "line 4",
        "line 6",
    ]


CODES = VersionInputs(
    (Column("code", "string", nullable=False), Column("size", "number")), named=True
)


@pytest.mark.parametrize(
    ("text", "said", "values", "notes"),
    [
        ("id,size,code\n1,2.5,01234\n", {}, [{"code": "01234", "size": 2.5}], ["ignored: id"]),
        ("code;size\n01;2\n;NA\n", {}, [{"code": "01", "size": 2}, {"code": "", "size": None}], []),
        ("sep=|\ncode|size\n01|2\n", {}, [{"code": "01", "size": 2}], []),
        ("01\t2\nNA\t\n", {}, [["01", 2], [None, None]], []),
        ("code,size\n01,-\n", {"na": ("-",)}, [{"code": "01", "size": None}], []),
        ("code;size\n01;2,5\n", {}, [{"code": "01", "size": 2.5}], []),
        ("code;size\n1,5;2,500\n", {"decimal": ","}, [{"code": "1,5", "size": 2.5}], []),
        ("code,size\n-,1\n", {"header": False}, [None, ["-", 1]], []),
        (" code , size\n a,1\n", {}, [{"code": " a", "size": 1}], []),
    ],
)
def test_csv_by_the_columns_of_the_model(text, said, values, notes):
    read_rows = found(text, takes=CODES, **said)
    assert [row.value for row in read_rows.rows] == values
    assert list(read_rows.notes) == notes


def test_invalid_number_is_quoted_as_written():
    read_rows = found("code;size\na;3,14\nb;x\nc;1.5\nd;1,234\n", takes=CODES)
    assert [(row.location, row.fault) for row in read_rows.rows] == [
        (
            "line 2",
            "column 'size': '3,14' is not a number; use a decimal point, or give decimal ','",
        ),
        ("line 3", "column 'size': expected a number, got 'x'"),
        ("line 4", None),
        (
            "line 5",
            (
                "column 'size': '1,234' is not a number; leave out separators of thousands; "
                "if this is a decimal comma, give decimal ','"
            ),
        ),
    ]


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        (Column("a", "string", words=("NA",)), "NA", "NA"),
        (Column("a", "string"), "NA", None),
        (Column("a", "boolean"), " TRUE ", True),
        (Column("a", "number"), "True", True),
        (Column("a", "number"), "1", 1),
        (Column("a", "boolean"), "maybe", "maybe"),
        (Column("a", "category", categories=(1, 2)), "1", 1),
        (Column("a", "category", categories=("1", "2")), "1", "1"),
        (Column("a", "category", categories=(1, "x")), "x", "x"),
        (Column("a", "date"), "2026-01-02", "2026-01-02"),
        (Column("a", "any"), "false", False),
    ],
)
def test_cell_is_converted_to_the_type_of_its_column(column, cell, value):
    read_rows = found(f"a\n{cell}\n", takes=VersionInputs((column,), named=True))
    assert [row.value for row in read_rows.rows] == [{"a": value}]


@pytest.mark.parametrize(
    ("text", "takes", "told"),
    [
        ("code,length\na,1\n", CODES, "the file has no column 'size'; it has 'code', 'length'"),
        ("code,size,size\na,1,1\n", CODES, "more than one column 'size'"),
        (
            "1,2,3\n4,5,6\n",
            VersionInputs(CODES.columns, named=False),
            "takes 2 columns by position",
        ),
        ("7,2,3\n4,5,6\n", CODES, "has no header, so its columns go by position: the model takes"),
    ],
)
def test_columns_that_do_not_fit_are_reported(text, takes, told):
    with pytest.raises(Unreadable, match=told):
        found(text, takes=takes)


def test_numbers_in_order_count_as_a_header_with_a_note():
    takes = VersionInputs((Column("x0", "number"), Column("x1", "number")), named=False)
    read_rows = found("0,1\n5,6\n", takes=takes)
    assert [row.value for row in read_rows.rows] == [[5, 6]]
    assert read_rows.notes == ["read line 1 as the header (if it is a row, give --no-header)"]
    assert [row.value for row in found("0,1\n5,6\n", takes=takes, header=False).rows] == [
        [0, 1],
        [5, 6],
    ]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("[[1, 2], [3, null]]", [[1, 2], [3, None]]),
        ('[{"a": "1"}]', [{"a": "1"}]),
        ("[1, 2]", [[1, 2]]),
        ('{"a": 1}', [{"a": 1}]),
    ],
)
def test_json_rows_are_read(text, rows):
    assert rows_of(text, "rows.JSON") == [(f"row {n}", row) for n, row in enumerate(rows, 1)]


@pytest.mark.parametrize("name", ["rows.ndjson", "rows.jsonl"])
def test_ndjson_rows_are_read(name):
    assert rows_of('[1]\n\n{"a": true}\n', name) == [
        ("line 1", [1]),
        ("line 3", {"a": True}),
    ]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("rows.csv", "", "no rows"),
        ("rows.csv", "a,b\n", "no rows"),
        ("rows.csv", "a,b,a\n1,2,3\n", "more than one column 'a'"),
        ("rows.csv", 'a\n"x\n', "line 2: a quoted field does not end"),
        ("rows.csv", 'a\n1\n"x\n2\n', "line 3: a quoted field does not end"),
        ("rows.json", "[]", "no rows"),
        ("rows.json", "3", "expected an array of rows"),
        ("rows.json", "[", "not JSON"),
        ("rows.ndjson", "[1]\n[\n", "line 2: not JSON"),
    ],
)
def test_unreadable_file_is_reported(name, text, told):
    with pytest.raises(Unreadable, match=told):
        rows_of(text, name)


def test_json_nested_too_deeply_is_refused():
    with pytest.raises(Unreadable, match="line 1: nested too deeply"):
        rows_of("[" * 500_000, "rows.ndjson")


def test_byte_order_mark_is_not_part_of_a_name(service, tmp_path):
    service.answer = json.dumps
    (tmp_path / "rows.csv").write_bytes("\ufeffage\n1\n".encode())
    assert run("iris", "--file", tmp_path / "rows.csv").exit_code == 0
    assert service.submissions[0]["features"] == [{"age": 1}]
