"""A sample of any dtypes passes through each door unchanged."""

from pathlib import Path

import pandas as pd
import pytest

from registry.manifest import Column, Signature
from telemetry.errors import InvalidInput
from tests.unit.workers.tabular.series import FULL, GAPPY
from workers.gate.doors import DOORS, json_rows, through_door, write_sample
from workers.models.signature.describing import described_column

ALL = {**FULL, **{f"{name}, gappy": series for name, series in GAPPY.items()}}


def signature_of(frame: pd.DataFrame, *, named: bool = True) -> Signature:
    columns = tuple(described_column(str(name), frame[name], []) for name in frame)
    return Signature(columns, named, named, ("predict",))


PAIRS = [(name, door) for name in ALL for door in DOORS]


@pytest.mark.parametrize(("name", "door"), PAIRS)
def test_rows_through_a_door_are_unchanged(name: str, door: str) -> None:
    frame = pd.DataFrame({"n": range(len(ALL[name])), "c": ALL[name]})
    passed = through_door(door, signature_of(frame), frame)
    assert passed.refused == {}
    if name.startswith("mixed") and door == "parquet":  # Parquet has no mixed columns
        assert passed.tables == []
        return
    ((table, indices),) = passed.tables
    assert indices == [*range(len(frame))]
    pd.testing.assert_frame_equal(table.whole(), frame, check_exact=True)
    if "numbers" not in name:  # CSV and Parquet have one type for all of them
        assert [*map(type, table.whole()["c"])] == [*map(type, frame["c"])]


@pytest.mark.parametrize("door", DOORS)
def test_refused_rows_have_their_place_and_reason(door: str) -> None:
    frame = pd.DataFrame({"a": [1.0, None, 3.0, None, 5.0], "b": ["u"] * 5})
    columns = (Column("a", dtype="float64"), Column("b", "string", dtype="str"))
    passed = through_door(door, Signature(columns, True, True, ("predict",)), frame)
    told = "column 'a': a missing value is not allowed here"
    assert passed.refused == {1: told, 3: told}
    assert [indices for _, indices in passed.tables] == [[0, 2, 4]]


@pytest.mark.parametrize("door", DOORS)
def test_door_may_refuse_all_rows(door: str) -> None:
    frame = pd.DataFrame({"a": ["x", "y"]})
    signature = Signature((Column("a", dtype="float64"),), True, True, ("predict",))
    if door == "parquet":  # refused as a whole, by its column types
        with pytest.raises(InvalidInput, match="column 'a': expected a number"):
            through_door(door, signature, frame)
        return
    passed = through_door(door, signature, frame)
    assert passed.tables == []
    assert [*passed.refused] == [0, 1]
    assert all(told.startswith("column 'a': expected a number") for told in passed.refused.values())


@pytest.mark.parametrize("door", DOORS)
def test_unused_column_is_not_sent(door: str) -> None:
    frame = pd.DataFrame({"a": [1.0], "u": [object()]})
    columns = (Column("a"), Column("u", "any", unused=True))
    ((table, _),) = through_door(door, Signature(columns, True, True, ("predict",)), frame).tables
    assert table.whole()["u"].isna().all()


@pytest.mark.parametrize("door", DOORS)
def test_model_without_names_is_given_rows_by_position(door: str) -> None:
    frame = pd.DataFrame({"x0": [1.5, 2.5], "x1": ["u", "v"]})
    ((table, _),) = through_door(door, signature_of(frame, named=False), frame).tables
    assert table.whole().tolist() == [[1.5, "u"], [2.5, "v"]]


def test_rows_beyond_a_span_come_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.gate.doors._SPAN_ROWS", 2)
    frame = pd.DataFrame({"a": [1.0, None, 3.0, 4.0, 5.0]})
    signature = Signature((Column("a", dtype="float64"),), True, True, ("predict",))
    for door in ("csv", "ndjson", "parquet"):
        passed = through_door(door, signature, frame)
        assert [index for _, indices in passed.tables for index in indices] == [0, 2, 3, 4]
        assert len(passed.tables) > 1
        assert [*passed.refused] == [1]


@pytest.mark.parametrize("words", [["", "x"], ["NA", "x"], ["", "NA", "NaN"]])
def test_text_that_pandas_reads_as_missing_stays_text(words: list[str]) -> None:
    frame = pd.DataFrame({"t": pd.Series([*words, None], dtype="str"), "n": 1})
    signature = signature_of(frame)
    for door in DOORS:
        ((table, _),) = through_door(door, signature, frame).tables
        assert table.whole()["t"].fillna("?").tolist() == [*words, "?"], door


def test_objects_have_the_names_of_the_model(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, None]})
    assert json_rows(signature_of(frame), frame) == [{"a": 1.0}, {"a": None}]
    assert json_rows(signature_of(frame, named=False), frame) == [[1.0], [None]]
    write_sample(frame, signature_of(frame), tmp_path / "s.ndjson")
    assert (tmp_path / "s.ndjson").read_bytes() == b'{"a":1.0}\n{"a":null}\n'
