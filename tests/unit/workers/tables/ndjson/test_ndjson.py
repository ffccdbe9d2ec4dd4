"""NDJSON read in spans equals the whole file; broken lines are reported, and stop nothing else."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.manifest import Column, Signature
from telemetry.errors import InvalidInput
from tests.unit.workers.tables.scoring import scored
from tests.unit.workers.tables.sources import (
    MIXED,
    bad,
    blocks,
    by_position,
    features,
    numbers,
    source_of,
    written,
)
from workers.jobs.tables.records import cutting

AB = numbers("a", "b", dtype="float64")
"""With a known dtype, since columns without one accept booleans as well."""
values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text("x\n é", max_size=3), st.just([])
)
documents = st.one_of(
    st.fixed_dictionaries({"a": st.floats(), "b": st.integers(-99, 99)}, optional={"c": values}),
    st.dictionaries(st.sampled_from(["a", "b", "c"]), values),
    values,
)


@settings(max_examples=200, print_blob=True, deadline=None)
@given(
    st.lists(st.one_of(documents.map(json.dumps), st.sampled_from(["", "{", "]", "1 2"]))),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 4),
    st.integers(1, 60),
    st.booleans(),
)
def test_lines_through_spans_are_the_lines_of_the_file(
    new_directory: Callable[[], Path],
    lines: list[str],
    ending: str,
    span: int,
    block: int,
    carry: bool,
) -> None:
    content = ending.join(['{"a": 1, "b": 2, "custom_id": 7}', *lines])
    path = written(new_directory(), content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "BLOCK", block)
        read = blocks(path, "ndjson", AB, span, pass_through=carry)
    expected = {}
    for number, line in enumerate(lines, 2):
        row = json.loads(line) if line and line not in "{]1 2" else None
        if isinstance(row, dict) and all(
            type(row.get(name)) in (int, float) and math.isfinite(row[name]) for name in "ab"
        ):
            expected[number] = [float(row["a"]), float(row["b"])]  # rounds integers beyond 2**53
    assert features([b for b in read if len(b.good)]).tolist() == [[1, 2], *expected.values()]
    assert [b.lines[index] for b in read for index in b.good] == [1, *expected]
    filled = {number for number, line in enumerate(lines, 2) if line}
    assert {row.line for row in bad(read)} == filled - set(expected)


def test_bad_lines_have_line_id_code_and_reason(tmp_path: Path) -> None:
    content = (
        b'{"a": 1, "b": 2, "id": "p"}\n'
        b'{"a": 1, "b": 2, "id": "q"\n'
        b"\n"
        b'{"a": "x", "b": 2, "id": "r"}\n'
        b'{"a": true, "b": 2, "id": 5}\n'
        b'{"b": 2, "id": "t"}\n'
        b"[1, 2]\n"
        b'{"a": 1, "b": 2, "id": "\xe9"}\n'
        b'{"a": NaN, "b": 2}\n'
        b'{"a": Infinity, "b": 2}\n'
        b'{"a": 3, "b": 4, "id": "z", "more": {}}'
    )
    path = written(tmp_path, content)
    for span in (1, 3, 100):
        read = blocks(path, "ndjson", AB, span, id_column="id")
        assert features([b for b in read if len(b.good)]).tolist() == [[1, 2], [3, 4]]
        rows = bad(read)
        assert [(row.line, row.code) for row in rows] == [
            (2, "malformed"),
            (4, "invalid_features"),
            (5, "invalid_features"),
            (6, "invalid_features"),
            (7, "malformed"),
            (8, "malformed"),
            (9, "invalid_features"),
            (10, "invalid_features"),
        ]
        assert [row.message for row in rows][1:5] == [
            "column 'a': expected a number, got the string 'x'",
            "column 'a': expected a number, got true",
            "column 'a' is missing",
            "the line must be an object",
        ]
        assert [str(row.custom_id) for row in rows][1:4] == ["r", "5", "t"]


@pytest.mark.parametrize("column", ["a", "more", "custom_id"])
@pytest.mark.parametrize("depth", [900, 100_000])
def test_deeply_nested_line_is_a_bad_row(tmp_path: Path, column: str, depth: int) -> None:
    nested = f'{{"{column}": {"[" * depth}{"]" * depth}, "b": 2}}\n'
    path = written(tmp_path, '{"a": 1, "b": 2, "more": 3, "custom_id": 4}\n' + nested)
    (block,) = blocks(path, "ndjson", AB, 9, pass_through=True)
    assert (block.good.tolist(), [row.line for row in block.bad]) == ([0], [2])


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "rows", ['{"a": 1}{"a": 2}', '{"a":\n1}\n', '{"a": 1} {"a": 2}\n{"a":\n3}']
)
def test_ndjson_row_is_one_line(tmp_path: Path, rows: str, ending: str) -> None:
    lines = ['{"a": 0}', *rows.split("\n"), " ", '{"a": 9}']
    path = written(tmp_path, ending.join(lines))
    read = blocks(path, "ndjson", numbers("a"), 100)
    assert features(read).tolist() == [[0], [9]]
    assert [row.line for row in bad(read)] == [n for n, line in enumerate(lines, 1) if line][1:-1]


def test_missing_values_are_taken_where_the_model_takes_them(tmp_path: Path) -> None:
    path = written(tmp_path, '{"a": null, "b": 1}\n{"a": NaN, "b": 2}\n')
    read = blocks(path, "ndjson", numbers("a", "b", nullable=True), 1)
    assert np.array_equal(features(read), [[math.nan, 1], [math.nan, 2]], equal_nan=True)


def test_lists_go_by_position(tmp_path: Path) -> None:
    path = written(tmp_path, "[1, 2]\n[3, 4.5]\n[5]\n")
    read = blocks(path, "ndjson", by_position(2), 2)
    assert features([b for b in read if len(b.good)]).tolist() == [[1, 2], [3, 4.5]]
    assert [(row.line, row.message) for row in bad(read)] == [(3, "expected 2 values, found 1")]
    with pytest.raises(InvalidInput, match="line 1: the model has column names"):
        source_of(path, "ndjson", AB)


def test_objects_go_by_position_where_the_model_has_no_names(tmp_path: Path) -> None:
    path = written(tmp_path, '{"0": 1, "1": 2}\n{"1": 4, "0": 3}\n')
    assert features(blocks(path, "ndjson", by_position(2), 9)).tolist() == [[1, 2], [3, 4]]


def test_keys_of_any_characters_go_by_position_where_the_model_has_no_names(tmp_path: Path) -> None:
    path = written(tmp_path, '{"say \\"so\\"": 1, "nul\\u0000": 2}\n')
    assert features(blocks(path, "ndjson", by_position(2), 9)).tolist() == [[1, 2]]


def test_mixed_columns_make_the_frame_that_single_predictions_make(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '{"vip": true, "age": 1, "city": "u"}\n{"vip": false, "age": null, "city": null}\n',
    )
    (block,) = blocks(path, "ndjson", MIXED, 10)
    frame = block.features.whole()
    assert frame.astype(object).where(frame.notna(), None).to_dict("list") == {
        "age": [1.0, None],
        "city": ["u", None],
        "vip": [True, False],
    }


def test_unknown_column_takes_every_json_value(tmp_path: Path) -> None:
    anything = Signature((Column("a", "any", nullable=True),), True, False, ("predict",))
    path = written(
        tmp_path, "".join(f'{{"a": {v}}}\n' for v in ("1", "1.5", "true", '"x"', "null"))
    )
    (block,) = blocks(path, "ndjson", anything, 10)
    found = block.features.whole()[:, 0].tolist()
    assert found[:4] == [1, 1.5, True, "x"]
    assert math.isnan(found[4])


def test_carried_columns_are_what_they_were(tmp_path: Path) -> None:
    content = (
        '{"a": 1, "b": 2, "note": "x", "tags": ["u", 1], "mix": 1}\n'
        '{"a": 1, "b": 2, "tags": {"v": null}, "mix": "y"}\n'
    )
    (block,) = blocks(written(tmp_path, content), "ndjson", AB, 10, pass_through=True)
    assert block.carried is not None
    assert block.carried.to_pydict() == {
        "a": ["1", "1"],
        "b": ["2", "2"],
        "note": ['"x"', None],
        "tags": ['["u", 1]', '{"v": null}'],
        "mix": ["1", '"y"'],
    }


VALUES = ["1", "2.50", "-0.0", "1e3", "true", '"text"', '"\\u00e4\\n"', "12345678901234567890123"]
VALUES += ["[1, {}]", '{"u": [1]}', '{"u":\r1}', "null", '"7"', "7"]


@pytest.mark.parametrize("rows", [1, 3, 1000])
def test_carried_columns_are_unchanged_in_any_spans(tmp_path: Path, rows: int) -> None:
    content = "".join(
        f'{{"custom_id": {n}, "a": {n}, "b": {"?" if n == 5 else 0}, "x": {value}}}\n'
        for n, value in enumerate(VALUES)
    )
    source = written(tmp_path, content.replace("?", '"no number"'))
    made = scored(source, "ndjson", tmp_path / "out", "ndjson", rows=rows, pass_through=True)
    lines = made.read_text().splitlines()
    for n, (line, value) in enumerate(zip(lines, VALUES, strict=True)):
        b, x = ('"no number"' if n == 5 else 0), value.replace("\r", " ")
        assert line.startswith(f'{{"custom_id":{n},"a":{n},"b":{b},"x":{x},"prediction":')


def test_invalid_json_values_cost_no_row_its_id(tmp_path: Path) -> None:
    values = ["0.5", "NaN", "Infinity", "1e400", "[-Infinity, 1]", "1" + "0" * 30, "?"]
    content = "".join(
        f'{{"custom_id": "r{n}", "a": {n}, "x": {v}}}\n' for n, v in enumerate(values)
    )
    (block,) = blocks(written(tmp_path, content), "ndjson", numbers("a"), 99, pass_through=True)
    assert block.ids is not None
    assert block.ids.to_pylist() == [*(f'"r{n}"' for n in range(6)), None]
    assert block.carried is not None
    assert block.carried["x"].to_pylist() == ["0.5", None, None, None, "[null,1]", values[5], None]
    assert [(row.line, row.code) for row in block.bad] == [(7, "malformed")]


@pytest.mark.parametrize("written_as", ["csv", "parquet"])
def test_formats_of_types_have_the_same_however_it_is_cut(tmp_path: Path, written_as: str) -> None:
    content = "".join(
        f'{{"custom_id": {n}, "a": {n}, "b": 0, "x": {value}, "y": {n}, '
        f'"z": {n / 2 or 2**60 + 1}}}\n'
        for n, value in enumerate(VALUES)
    )
    source = written(tmp_path, content.replace('"custom_id": 2', '"custom_id": "two"'))
    read: Any = {"csv": pd.read_csv, "parquet": pd.read_parquet}[written_as]
    found = []
    for rows in (1, 3, 1000):
        target = tmp_path / f"out-{rows}"
        found.append(
            read(scored(source, "ndjson", target, written_as, rows=rows, pass_through=True))
        )
    assert found[0].equals(found[1])
    assert found[0].equals(found[2])
    assert found[0]["custom_id"].tolist()[:4] == ["0", "1", "two", "3"]
    assert found[0]["y"].tolist() == [*range(len(VALUES))]
    assert found[0]["z"].tolist()[:3] == [2.0**60, 0.5, 1.0]


@pytest.mark.parametrize("name", ['say "so"', "two\nlines", "back\\slash"])
def test_columns_are_found_by_names_with_json_escapes(tmp_path, name):
    path = tmp_path / "rows.ndjson"
    path.write_text(json.dumps({name: 1.5, "b": 2.5}) + "\n")

    read = blocks(path, "ndjson", numbers(name, "b", dtype="float64"), rows=1)

    assert np.asarray(features(read)).tolist() == [[1.5, 2.5]]
