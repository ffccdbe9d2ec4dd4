"""CSV in every dialect gives the same rows: any delimiter, with a header or without."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.manifest import Column, Signature
from tasks.jobs.files.decimal_comma import NO_COMMA
from tasks.jobs.files.dialect import DELIMITERS, MISSING_TEXTS, Dialect
from telemetry.errors import InvalidInput
from tests.unit.workers.tables.sources import (
    bad,
    blocks,
    by_position,
    features,
    numbers,
    source_of,
    written,
)
from workers.jobs.tables.csv.source import CsvSource
from workers.jobs.tables.records import cutting
from workers.jobs.tables.spans import Block

AB = numbers("a", "b")
NULLABLE = numbers("a", "b", nullable=True)
TEXTS = Signature((Column("s", "string"), Column("t", "string")), True, False, ("predict",))
fields = st.text(st.sampled_from('ab,;\t|"\n é'), max_size=6)


@settings(max_examples=200, print_blob=True, deadline=None)
@given(
    rows=st.lists(st.tuples(fields, fields), min_size=1, max_size=12),
    delimiter=st.sampled_from(DELIMITERS),
    told=st.booleans(),
    span=st.integers(1, 5),
    block=st.integers(1, 60),
    ending=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    bom=st.booleans(),
)
def test_rows_are_those_that_were_written(
    new_directory: Callable[[], Path],
    rows: list[tuple[str, str]],
    delimiter: str,
    told: bool,
    span: int,
    block: int,
    ending: str,
    quoting: Any,
    bom: bool,
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, lineterminator=ending, delimiter=delimiter).writerows(
        [("s", "t"), *rows]
    )
    head = ("\ufeff" if bom else "") + (f"sep={delimiter}{ending}" if told else "")
    path = written(new_directory(), head + text.getvalue())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "BLOCK", block)
        read = blocks(path, "csv", TEXTS, span)
    assert features(read).tolist() == [list(row) for row in rows]
    assert not bad(read)
    assert read[0].lines[0] == 2 + told


@pytest.mark.parametrize(
    ("content", "found", "rows"),
    [
        ("1.5,2\n3,4\n", (",", False), [[1.5, 2], [3, 4]]),
        ("1.5;2\n3;4\n", (";", False), [[1.5, 2], [3, 4]]),
        ("\n5\t2\r\n3\t4", ("\t", False), [[5, 2], [3, 4]]),
        ("sep=|\n5|2\n", ("|", False), [[5, 2]]),
        ("1,2\n", (",", False), [[1, 2]]),
        ("0,1\n3,4\n", (",", True), [[3, 4]]),
        ("u|v\n3|4\n", ("|", True), [[3, 4]]),
    ],
)
def test_model_without_names_takes_columns_by_position(
    tmp_path: Path, content: str, found: tuple[str, bool], rows: Any
) -> None:
    path = written(tmp_path, content)
    assert features(blocks(path, "csv", by_position(2), 9)).tolist() == rows
    assert dialect(path, by_position(2)) == found


@pytest.mark.parametrize("signature", [AB, by_position(2)])
def test_file_without_a_header_goes_by_position(tmp_path: Path, signature: Signature) -> None:
    path = written(tmp_path, "5,1\nx,2\n7,3\n")
    read = blocks(path, "csv", signature, 2, pass_through=True)
    assert features(read).tolist() == [[5, 1], [7, 3]]
    assert [row.line for row in bad(read)] == [2]
    assert read[0].carried is not None
    assert read[0].carried.column_names == [column.name for column in signature.columns]


def test_given_dialect_takes_precedence_over_detection(tmp_path: Path) -> None:
    path = written(tmp_path, "5:1\n6:2\n")
    said = Dialect(delimiter=":", header=True)
    assert features(blocks(path, "csv", by_position(2), 9, dialect=said)).tolist() == [[6, 2]]
    said = Dialect(delimiter=":", header=False)
    assert dialect(path, AB, dialect=said) == (":", False)
    with pytest.raises(InvalidInput, match="takes 2, the file has 1"):
        source_of(path, "csv", AB, dialect=Dialect(delimiter=",", header=False))


@pytest.mark.parametrize("content", ["1,2,3\n4,5,6\n", "1.5\n2\n"])
def test_columns_by_position_are_as_many_as_the_model_s(tmp_path: Path, content: str) -> None:
    with pytest.raises(InvalidInput, match="the model takes 2|takes 2 columns"):
        source_of(written(tmp_path, content), "csv", by_position(2))


@pytest.mark.parametrize("other", ["", "y;1\n"], ids=["by pyarrow", "one by one"])
def test_decimal_comma_is_reported(tmp_path: Path, other: str) -> None:
    path = written(tmp_path, f"a;b\n1;3,14\n2;2.5\n{other}")
    read = blocks(path, "csv", AB, 9)
    assert features(read).tolist() == [[2, 2.5]]
    told = min(bad(read), key=lambda row: row.line)
    what = "column 'b': '3,14' is not a number; use a decimal point, or give decimal ','"
    assert (told.line, told.message) == (2, what)


@pytest.mark.parametrize("other", ["", "y;1\n"], ids=["by pyarrow", "one by one"])
@pytest.mark.parametrize(
    ("content", "said"),
    [("a;b\n1;3,14\n2;1,234\n3;-0,5\n", None), ("a;b\n1;3,140\n2;1,234\n3;-0,500\n", ",")],
    ids=["detected", "given"],
)
def test_decimal_commas_are_read(tmp_path: Path, other: str, content: str, said: Any) -> None:
    path = written(tmp_path, content + other)
    read = blocks(path, "csv", AB, 9, dialect=Dialect(decimal=said))
    assert features(read).tolist() == [[1, 3.14], [2, 1.234], [3, -0.5]]


def test_thousands_are_no_decimal_commas(tmp_path: Path) -> None:
    read = blocks(written(tmp_path, "a;b\n1;1,234\n2;3\n"), "csv", AB, 9)
    assert features(read).tolist() == [[2, 3]]
    assert "'1,234' is not a number" in bad(read)[0].message


def test_decimal_point_in_a_file_with_commas_is_a_bad_row(tmp_path: Path) -> None:
    rows = "".join(f"{row};{row},5\n" for row in range(30))
    read = blocks(written(tmp_path, f"a;b\n{rows}30;1.234\n31;1.234,5\n"), "csv", AB, 99)
    assert len(features(read)) == 30
    assert [row.message for row in bad(read)] == [
        f"column 'b': '1.234' {NO_COMMA}",
        "column 'b': expected a number, got '1.234,5'",
    ]


def test_decimal_commas_reach_columns_of_other_types(tmp_path: Path) -> None:
    columns = (
        Column("a"),
        Column("b", "any"),
        Column("c", "category", dtype="category", categories=(0.5, 1.5)),
        Column("d", "string"),
    )
    path = written(tmp_path, "a;b;c;d\n2,5;2,5;1,5;2,5\n")
    (block,) = blocks(path, "csv", Signature(columns, True, True, ("predict",)), 9)
    assert block.features.whole().to_numpy().tolist() == [[2.5, 2.5, 1.5, "2,5"]]


@pytest.mark.parametrize("word", [*MISSING_TEXTS, "-", " NA "])
@pytest.mark.parametrize("other", ["", "x\n"], ids=["by pyarrow", "one by one"])
def test_missing_texts_in_a_column_of_numbers(tmp_path: Path, word: str, other: str) -> None:
    signature = numbers("a", nullable=True)
    path = written(tmp_path, f'a,b\n1,\n{word},\n"{word}",\n{other}')
    (block,) = blocks(path, "csv", signature, 9, dialect=Dialect(na=("-",)))
    assert str(block.features.whole()[:3, 0].tolist()) == "[1.0, nan, nan]"


def told(block: Block) -> list[list[Any]]:
    """The rows as the model gets them, None for NaN."""
    rows = block.features.whole()
    return [[None if pd.isna(value) else value for value in row] for row in rows.tolist()]


@pytest.mark.parametrize("kind", ["string", "any"])
def test_missing_texts_in_a_column_of_text(tmp_path: Path, kind: Any) -> None:
    columns = Column("a", kind, nullable=True), Column("b", kind, nullable=True, words=("NA",))
    signature = Signature(columns, True, False, ("predict",))
    path = written(tmp_path, "a,b\nNA,NA\n<NA>,None\n-,x\nu,-\n")
    (block,) = blocks(path, "csv", signature, 9, dialect=Dialect(na=("-",)))
    assert told(block) == [[None, "NA"], [None, None], [None, "x"], ["u", None]]


def test_missing_text_where_none_is_allowed(tmp_path: Path) -> None:
    path = written(tmp_path, "s,t\nNA,x\n,y\n")
    (block,) = blocks(path, "csv", TEXTS, 9)
    assert told(block) == [["", "y"]]
    assert [row.message for row in block.bad] == ["column 's': a missing value is not allowed here"]


def test_ids_and_carried_columns_are_unchanged(tmp_path: Path) -> None:
    path = written(tmp_path, "custom_id,s,t\nNA,a,b\n")
    (block,) = blocks(path, "csv", TEXTS, 9)
    assert block.ids is not None
    assert block.ids.to_pylist() == ["NA"]


def dialect(path: Path, signature: Signature, **said: Any) -> tuple[str | None, bool | None]:
    source = source_of(path, "csv", signature, **said)
    assert isinstance(source, CsvSource)
    return source.dialect.delimiter, source.dialect.header
