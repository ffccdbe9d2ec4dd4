"""CSV read in spans equals the whole file; bad rows are reported with their line."""

import csv
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.manifest import Column, Signature
from telemetry.errors import InputChanged, InvalidInput
from tests.unit.workers.tables.sources import (
    MIXED,
    bad,
    blocks,
    features,
    numbers,
    source_of,
    written,
)
from workers.jobs.tables.records import cutting
from workers.jobs.tables.spans import Block

AB = numbers("a", "b")
NULLABLE = numbers("a", "b", nullable=True)
TEXTS = Signature((Column("s", "string"), Column("t", "string")), True, False, ("predict",))
fields = st.text(st.sampled_from('ab,"\n é'), max_size=6)


@settings(max_examples=200, print_blob=True, deadline=None)
@given(
    rows=st.lists(st.tuples(fields, fields), min_size=1, max_size=12),
    span=st.integers(1, 5),
    block=st.integers(1, 60),
    ending=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    bom=st.booleans(),
    last=st.booleans(),
)
def test_rows_through_spans_are_the_rows_of_the_file(
    new_directory: Callable[[], Path],
    rows: list[tuple[str, str]],
    span: int,
    block: int,
    ending: str,
    quoting: Any,
    bom: bool,
    last: bool,
) -> None:
    text = io.StringIO(newline="")
    lines = []
    writer = csv.writer(text, quoting=quoting, lineterminator=ending)
    for row in [("s", "t"), *rows]:
        lines.append(text.getvalue().count("\n") + 1)
        writer.writerow(row)
    content = text.getvalue() if last else text.getvalue().removesuffix(ending)
    path = written(new_directory(), ("\ufeff" if bom else "") + content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "BLOCK", block)
        read = blocks(path, "csv", TEXTS, span)
    assert features(read).tolist() == [list(row) for row in rows]
    assert [line for one in read for line in one.lines] == lines[1:]
    assert not bad(read)


@settings(max_examples=300, print_blob=True, deadline=None)
@given(
    st.lists(st.sampled_from([*b'1x",\n\r', 0xE9]), min_size=1, max_size=60).map(bytes),
    st.integers(1, 4),
    st.integers(1, 30),
)
def test_rows_of_any_file_are_the_same_in_any_spans(
    new_directory: Callable[[], Path], content: bytes, span: int, block: int
) -> None:
    directory = new_directory()
    path = written(directory, b"custom_id,a\n1,1\n" + content)
    whole, open_quote = blocks_or_refusal(path, 1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "BLOCK", block)
        read, refusal = blocks_or_refusal(path, span)
    assert open_quote == refusal
    if open_quote:
        assert "a quoted field does not end" in open_quote
        return
    assert np.array_equal(features(read), features(whole), equal_nan=True)
    assert sorted(bad(read), key=lambda row: row.line) == sorted(
        bad(whole), key=lambda row: row.line
    )
    assert [line for one in read for line in one.lines] == [*whole[0].lines]


def blocks_or_refusal(path: Path, rows: int) -> tuple[list[Block], str]:
    """The blocks read, or the message of the refusal."""
    try:
        return blocks(path, "csv", numbers("a"), rows), ""
    except InvalidInput as error:
        return [], error.message


@settings(max_examples=200, print_blob=True, deadline=None)
@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=30))
def test_numbers_are_the_numbers_that_were_written(
    new_directory: Callable[[], Path], values: list[float]
) -> None:
    content = "a\n" + "".join(f"{value!r}\n" for value in values)
    path = written(new_directory(), content)
    read = features(blocks(path, "csv", numbers("a", infinite=True), 7))
    assert [value.hex() for value in read[:, 0].tolist()] == [value.hex() for value in values]


VALUES = [
    *(
        "1",
        " 2.5 ",
        "-0",
        "+1",
        ".5",
        "5.",
        "1e3",
        "1E-3",
        "1e400",
        "1e-400",
        "0x1",
        "1_0",
        "1" * 5000,
    ),
    *("NA", " NA ", "null", "nan", "NaN", "-nan", "NAN", "inf", "-Infinity", "", '""', '"7"', " "),
    *(
        "true",
        "tRuE",
        " true ",
        "FALSE",
        "0",
        "2",
        "x",
        "é",
        '"x""y"',
        "\N{ARABIC-INDIC DIGIT ONE}",
    ),
    pytest.param("x" * 200_000, id="long"),
]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("kind", ["number", "boolean", "string", "any"])
def test_csv_value_is_read_alike_beside_any_other(tmp_path: Path, kind: Any, value: str) -> None:
    signature = Signature((Column("a", kind, nullable=True),), True, True, ("predict",))

    def read(*others: bytes) -> object:
        lines = (b"%s,1\n" % text for text in [value.encode(), *others])
        path = written(tmp_path, b"a,b\n" + b"".join(lines))
        (block,) = blocks(path, "csv", signature, 100, pass_through=True)
        assert block.carried is not None
        told = [row.message for row in block.bad if row.line == 2]
        given = [] if told else first(block)["a"].tolist()[:1]
        return repr([told, given, block.carried.slice(0, 1).to_pydict()])

    assert {read(other) for other in (b"x", b"\xe9", b"x\ry", b"y,z")} == {read()}


def first(block: Block) -> Any:
    """The model's input that contains the first row."""
    parts = block.features.parts()
    return next(given for indices, given in parts if indices is None or 0 in indices)


def test_bad_rows_have_line_id_code_and_reason_and_stop_nothing(tmp_path: Path) -> None:
    content = (
        "custom_id,note,a,b\n"
        'p,"two\nlines",1,2\n'  # lines 2 and 3
        "q,,3\n"
        "\n"
        "r,,x,4\n"
        "s,,5,6,7\n"
        "t,,,8\n"
        "u,\udce9,9,10\n"
        "\udce9,,11,12\n"
        "w,,inf,13\n"
        "z,,14,15\n"
    ).encode(errors="surrogateescape")
    path = written(tmp_path, content)
    for span in (1, 2, 3, 100):
        read = blocks(path, "csv", AB, span)
        assert features(read).tolist() == [[1, 2], [9, 10], [14, 15]]
        rows = sorted(bad(read), key=lambda row: row.line)
        assert [(row.line, row.custom_id, row.code, row.message) for row in rows] == [
            (4, None, "malformed", "expected 4 fields, found 3"),
            (6, "r", "invalid_features", "column 'a': expected a number, got 'x'"),
            (7, None, "malformed", "expected 4 fields, found 5"),
            (8, "t", "invalid_features", "column 'a': a missing value is not allowed here"),
            (
                10,
                "\N{REPLACEMENT CHARACTER}",
                "invalid_features",
                "column 'custom_id' is not UTF-8 text",
            ),
            (11, "w", "invalid_features", "column 'a': infinity is not allowed here"),
        ]


def test_duplicate_name_matters_only_in_a_used_column(tmp_path: Path) -> None:
    path = written(tmp_path, "a,x,b,x\n1,2,3,4\n")
    assert features(blocks(path, "csv", AB, 9)).tolist() == [[1, 3]]
    with pytest.raises(InvalidInput, match="more than one column 'x'"):
        source_of(path, "csv", AB, pass_through=True)


def test_ten_thousand_columns(tmp_path: Path) -> None:
    names = [f"c{index}" for index in range(10_000)]
    row = ",".join(["1.5"] * 10_000)
    path = written(tmp_path, ",".join(names) + "\n" + f"{row}\n" * 20 + f"{row},1\n" + f"{row}\n")
    read = blocks(path, "csv", numbers(*names), 8)
    assert features(read).shape == (21, 10_000)
    assert [(row.line, row.message) for row in bad(read)] == [
        (22, "expected 10000 fields, found 10001")
    ]


def test_mixed_columns_make_the_frame_that_single_predictions_make(tmp_path: Path) -> None:
    path = written(tmp_path, "vip,age,city\ntrue,1,u\nFalse,,\nmaybe,3,v\n,4,w\n")
    (block,) = blocks(path, "csv", MIXED, 10)
    frame = block.features.whole()
    assert frame["vip"].tolist() == [True, False]
    assert frame["city"].fillna("?").tolist() == ["u", "?"]
    assert [row.message for row in sorted(block.bad, key=lambda row: row.line)] == [
        "column 'vip': expected true or false, got 'maybe'",
        "column 'vip': a missing value is not allowed here",
    ]


def test_unknown_column_takes_what_its_text_looks_like(tmp_path: Path) -> None:
    anything = Signature((Column("a", "any", nullable=True),), True, False, ("predict",))
    path = written(tmp_path, "a,b\n1,\n1.5,\ntrue,\nx,\n,\n1_0,\n")
    (block,) = blocks(path, "csv", anything, 10)
    found = block.features.whole()[:, 0].tolist()
    assert [*found[:4], found[5]] == [1, 1.5, True, "x", "1_0"]
    assert math.isnan(found[4])


def test_csv_file_truncated_during_reading_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n" + "1,2\n" * 100)
    source = source_of(path, "csv", AB)
    first, second = source.spans(50)
    source.read(first)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputChanged):
        source.read(second)
