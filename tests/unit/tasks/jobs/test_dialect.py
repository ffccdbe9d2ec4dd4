"""Detection of the delimiter and the header of CSV, from the start of a file."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.manifest import Column, Signature
from tasks.jobs.files.dialect import (
    DELIMITER,
    DELIMITERS,
    delimiter_of,
    header_names,
    is_header,
    separator,
)


def takes(*kinds: Any, named: bool = True, **more: Any) -> Signature:
    """A signature with columns of these types, named a, b, c …"""
    columns = tuple(Column(name, kind, **more) for name, kind in zip("abcdef", kinds, strict=False))
    return Signature(columns, named, False, ("predict",))


NUMBERS = takes("number", "number")
TEXTS = takes("string", "string")
cells = st.text(st.sampled_from('xy,;\t|" \n1.'), max_size=5)


@settings(max_examples=300, print_blob=True, deadline=None)
@given(
    rows=st.lists(st.tuples(cells, cells, cells), max_size=30),
    delimiter=st.sampled_from(DELIMITERS),
)
def test_delimiter_is_found_by_the_model_s_column_names(rows: Any, delimiter: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([("a", "b", "more"), *rows])
    assert delimiter_of(text.getvalue(), TEXTS) == delimiter


@settings(max_examples=300, print_blob=True, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.floats(allow_nan=False).map(repr), min_size=3, max_size=3), min_size=1
    ),
    delimiter=st.sampled_from(DELIMITERS),
    known=st.booleans(),
)
def test_delimiter_is_detected_from_records_without_names(
    rows: Any, delimiter: str, known: bool
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    three = takes(*["number"] * 3) if known else None
    assert delimiter_of(text.getvalue(), three) == delimiter


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("", ","),
        ("a\n1,5\n2,5\n", ","),
        ("a;b\n3,14;1,5\n", ";"),
        ("3,14;1,5\n2,0;1,0\n", ";"),
        ('"x;y",v\nx,v\n', ","),
        ("u\tv\n1\t2,5\n", "\t"),
        ('"a;b",b\n1,2\n', ","),
        pytest.param("x" * 200_000 + ";y\n", ";", id="longer than csv reads unasked"),
    ],
)
def test_delimiter_is_detected(text: str, delimiter: str) -> None:
    assert delimiter_of(text, NUMBERS) == delimiter


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sep=;\na;b\n", (";", 6)),
        ("SEP=\t\r\na", ("\t", 7)),
        ('"sep=|"\na', ("|", 8)),
        ("sep=a\n", (None, 0)),
        ("sep=;x\n", (None, 0)),
        ("sep\n", (None, 0)),
    ],
)
def test_excel_separator_line_is_read(text: str, found: Any) -> None:
    assert separator(text) == found


@pytest.mark.parametrize(
    ("model", "fields", "header"),
    [
        (NUMBERS, ["a", "b"], True),
        (NUMBERS, ["id", "b", "a"], True),
        (NUMBERS, [" a", "b "], True),
        (NUMBERS, ["1.5", "2"], False),
        (NUMBERS, ["1,5", "2"], False),
        (NUMBERS, ["1.5", ""], False),
        (NUMBERS, ["NA", "-1e3"], False),
        (NUMBERS, ["", ""], True),
        (NUMBERS, ["x", "2"], True),
        (NUMBERS, ["0", "1"], True),
        (NUMBERS, ["1", "2"], True),
        (NUMBERS, ["2", "3"], False),
        (NUMBERS, ["1", "2.5", "x"], True),
        (NUMBERS, ["1", "2.5", "7"], False),
        (TEXTS, ["a", "city"], True),
        (TEXTS, ["town", "city"], True),
        (TEXTS, ["Bonn", "7"], True),
        (takes("number", "string"), ["7", "Bonn"], False),
        (takes("number", "string"), ["size", "town"], True),
        (takes("boolean", "string"), ["true", "x"], False),
        (takes("boolean", "string"), ["vip", "x"], True),
        (takes("any", "any"), ["7", "Bonn"], False),
        (takes("any", "any"), ["size", "town"], True),
        (takes("string", "number", words=("NA",)), ["NA", "7"], False),
        (takes("number"), ["1"], False),
        (takes("number"), ["0"], False),
        (None, ["7", "2.5"], False),
        (None, ["7", "b"], True),
    ],
)
def test_header_is_distinguished_from_a_row(model: Any, fields: list[str], header: bool) -> None:
    assert is_header(fields, model, alone=False) is header


def test_numbers_in_order_are_a_row_where_nothing_is_behind() -> None:
    assert not is_header(["0", "1"], NUMBERS, alone=True)
    assert is_header(["a", "b"], NUMBERS, alone=True)


def test_numeric_names_are_a_header_only_together() -> None:
    years = Signature((Column("2019"), Column("2020")), True, False, ("predict",))
    assert is_header(["id", "2020", "2019"], years, alone=False)
    assert not is_header(["2019", "7.5"], years, alone=False)


def test_blanks_around_a_column_name_are_ignored() -> None:
    assert header_names([" a", " x ", "b"], NUMBERS) == ["a", " x ", "b"]
    blank = Signature((Column(" a"),), True, False, ("predict",))
    assert header_names([" a"], blank) == [" a"]


@pytest.mark.parametrize("text", ['"', "\n", "\r", "1", "a", ".", "-", "+", "_", ";;", "", "é"])
def test_invalid_delimiters(text: str) -> None:
    assert not DELIMITER.fullmatch(text)
