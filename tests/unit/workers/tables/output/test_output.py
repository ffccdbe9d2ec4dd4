"""The output has the rows of the input in order, complete or not at all."""

import csv
import enum
import errno
import json
import math
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.jobs.files.descriptors import stamp_of
from telemetry.errors import InvalidInput, ModelError, OutputUnwritable
from tests.unit.workers.tables.scoring import AB, scored
from tests.unit.workers.tables.sources import unpacked
from workers.jobs.tables.output.columns import columns
from workers.jobs.tables.output.writing import assemble, write_part
from workers.jobs.tables.replacing import check_writable, open_to_replace, temporary_path
from workers.jobs.tables.sources import format_of
from workers.models.tabular.columns import object_array

UNKNOWN_CALLER = 65534
"""A user id without rights."""


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "in.parquet"
    values = np.arange(100.0)
    table = pa.table({"custom_id": [f"r{n}" for n in range(100)], "a": values, "b": values[::-1]})
    pq.write_table(table, path, row_group_size=30)
    return path


def test_output_is_in_the_order_of_the_input(rows: Path, tmp_path: Path) -> None:
    made = pq.read_table(scored(rows, "parquet", tmp_path / "out.parquet", "parquet"))
    assert made.column_names == ["custom_id", "prediction", "probability_no", "probability_yes"]
    assert made["custom_id"].to_pylist() == [f"r{n}" for n in range(100)]
    assert made["prediction"].to_pylist() == ["no"] * 50 + ["yes"] * 50
    assert made["probability_no"].to_pylist() == [n / 100 for n in range(100)]


class Grade(enum.Enum):
    GOOD = "good"


def test_answers_that_arrow_has_no_type_for_are_as_in_json() -> None:
    answers = object_array(["a", math.nan, Grade.GOOD])
    (made,) = columns(AB, {"predict": answers}).values()
    assert made.to_pylist() == ["a", None, "good"]
    with pytest.raises(ModelError, match="do not fit into a column"):
        columns(AB, {"predict": object_array(["a", 1])})


def test_bad_row_has_its_line_and_no_prediction(tmp_path: Path) -> None:
    values: list[float | None] = [*np.arange(100.0)]
    values[3] = None
    values[40:80] = [None] * 40  # a whole part
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"a": values, "b": np.arange(100.0)}), path)
    made = pq.read_table(scored(path, "parquet", tmp_path / "out.parquet", "parquet"))
    assert made.num_rows == 100
    assert [value is None for value in made["prediction"].to_pylist()] == [
        value is None for value in values
    ]
    assert made["probability_no"].type == pa.float64()


def test_input_columns_come_first_on_request(rows: Path, tmp_path: Path) -> None:
    made = pq.read_table(
        scored(rows, "parquet", tmp_path / "out.parquet", "parquet", pass_through=True)
    )
    assert made.select(["custom_id", "a", "b"]).equals(pq.read_table(rows))
    assert made.column_names[3:] == ["prediction", "probability_no", "probability_yes"]


def test_input_with_a_column_of_the_output_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"a": [1.0], "b": [1.0], "prediction": [1]}), path)
    with pytest.raises(InvalidInput, match="has a column 'prediction' of its own"):
        scored(path, "parquet", tmp_path / "out.parquet", "parquet", pass_through=True)


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ({"predict": np.array([1, 2])}, ["prediction"]),
        ({"predict": np.ones((2, 1))}, ["prediction"]),
        ({"predict": np.ones((2, 3))}, ["prediction_0", "prediction_1", "prediction_2"]),
        ({"predict_proba": np.ones((2, 2))}, ["probability_no", "probability_yes"]),
        ({"predict_proba": np.ones((2, 3))}, ["probability_0", "probability_1", "probability_2"]),
        ({"decision_function": np.ones(2)}, ["decision"]),
        ({"decision_function": np.ones((2, 2))}, ["decision_no", "decision_yes"]),
        (
            {"predict_proba": [np.ones((2, 2)), np.ones((2, 1))]},
            ["probability_0_0", "probability_0_1", "probability_1"],
        ),
        (
            {"predict": np.array(["x", "y"], dtype=object), "decision_function": np.ones(2)},
            ["prediction", "decision"],
        ),
    ],
)
def test_columns_are_named_for_method_output_and_class(
    answer: dict[str, Any], names: list[str]
) -> None:
    assert list(columns(AB, answer)) == names


@contextmanager
def as_anybody() -> Iterator[None]:
    """Drop root's rights for a while, since root may write anywhere."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(UNKNOWN_CALLER)
    try:
        yield
    finally:
        os.seteuid(own)


def test_unwritable_directory_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with as_anybody(), pytest.raises(OutputUnwritable, match="Permission denied"):
        check_writable(tmp_path / "out.parquet", 0)


@pytest.mark.parametrize("output", ["missing/out.parquet", "file/out.parquet", ""])
def test_unwritable_path_is_reported(tmp_path: Path, output: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputUnwritable):
        check_writable(tmp_path / output, 0)


def test_full_disk_leaves_the_output_unchanged(rows: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    target.write_bytes(b"before")
    table = pa.table({"prediction": np.random.default_rng(0).normal(size=200_000)})
    write_part(tmp_path / "part", "parquet", table, 0)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, before[1]))  # as a full disk: EFBIG
    try:
        with pytest.raises(OutputUnwritable, match=os.strerror(errno.EFBIG)):
            assemble([tmp_path / "part"], target, "parquet", 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert target.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.parquet", "part"]


def test_leftover_of_a_killed_process_is_cleared(rows: Path, tmp_path: Path) -> None:
    leftover, others = (
        temporary_path(tmp_path / name) for name in ("out.parquet", "other.parquet")
    )
    leftover.touch()
    others.touch()
    scored(rows, "parquet", tmp_path / "out.parquet", "parquet")
    assert not leftover.exists()
    assert others.exists()


@pytest.mark.parametrize("name", ["o" * 251 + ".csv", "ö" * 127])
def test_output_name_may_be_as_long_as_the_disk_allows(tmp_path: Path, name: str) -> None:
    check_writable(tmp_path / name, 0)
    write_part(tmp_path / name, "csv", pa.table({"prediction": [1]}), 0)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("mode", [0o600, 0o777])
def test_output_has_the_mode_of_a_new_file(tmp_path: Path, mode: int) -> None:
    target, new = tmp_path / "out.csv", tmp_path / "new.csv"
    target.touch()
    target.chmod(mode)
    umask = os.umask(0o027)
    try:
        for path in (target, new):
            with open_to_replace(path, 0) as file:
                file.write(b"prediction\n")
    finally:
        os.umask(umask)
    assert [path.stat().st_mode & 0o777 for path in (target, new)] == [0o640, 0o640]


def test_output_directory_replaced_by_a_link_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "there" / "in").mkdir(parents=True)
    (tmp_path / "here").symlink_to(tmp_path / "there")
    with pytest.raises(OutputUnwritable, match="a symbolic link replaced"):
        check_writable(tmp_path / "here" / "in" / "out.csv", 0)
    assert not [*(tmp_path / "there" / "in").iterdir()]


def test_output_link_created_meanwhile_is_not_followed(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    with open_to_replace(here / "out.csv", 0) as file:
        here.rename(tmp_path / "away")
        here.symlink_to(there)
        file.write(b"prediction\n")
    assert not [*there.iterdir()]
    assert (tmp_path / "away" / "out.csv").exists()


@pytest.mark.parametrize("name", ["out.csv.gz", "out.csv.zst", "out.csv.bz2"])
def test_output_is_compressed_where_its_name_says_so(rows: Path, tmp_path: Path, name: str) -> None:
    scored(rows, "parquet", tmp_path / "out.csv", "csv")
    scored(rows, "parquet", tmp_path / name, "csv")
    _, compression = format_of(str(tmp_path / name))
    assert compression
    unpacked(tmp_path / name, compression, tmp_path / "unpacked.csv")
    assert (tmp_path / "unpacked.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()


def test_columns_of_several_kinds_become_text(tmp_path: Path) -> None:
    for index, values in enumerate([[1], ["x"], [None], [2.5]]):
        write_part(tmp_path / str(index), "parquet", pa.table({"note": values, "n": [index]}), 0)
    parts, made = [tmp_path / str(index) for index in range(4)], tmp_path / "out.parquet"
    assert assemble(parts, made, "parquet", 0) == stamp_of(made.stat())
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == {
        "note": ["1", "x", None, "2.5"],
        "n": [0, 1, 2, 3],
    }


@pytest.mark.parametrize("written", ["csv", "parquet"])
def test_parts_of_different_columns_are_refused(tmp_path: Path, written: Any) -> None:
    write_part(tmp_path / "0", written, pa.table({"prediction": [1]}), 0)
    write_part(tmp_path / "1", written, pa.table({"prediction_0": ["x"]}), 0)
    with pytest.raises(ModelError, match="the same columns for all rows"):
        assemble([tmp_path / "0", tmp_path / "1"], tmp_path / "out", written, 0)


def test_names_and_values_may_hold_any_character(tmp_path: Path) -> None:
    names = ["a\0b", 'c"\n"', "\ufeffd", "é"]
    table = pa.table([[f"{name},\0\n"] * 3 for name in names], names=names)
    for part in range(3):
        write_part(tmp_path / str(part), "csv", table, 0)
    assemble([tmp_path / str(part) for part in range(3)], tmp_path / "out.csv", "csv", 0)
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        read = [*csv.reader(file)]
    assert read == [names, *[[f"{name},\0\n" for name in names]] * 9]


def test_infinities_keep_their_sign_in_ndjson(tmp_path: Path) -> None:
    given = [1.5, math.nan, math.inf, -math.inf]
    for values in (pa.array(given), pa.array([*given, None]), pa.array([[v] for v in given])):
        write_part(tmp_path / "0", "ndjson", pa.table({"a": values}), 0)
        assemble([tmp_path / "0"], tmp_path / "out", "ndjson", 0)
        found = [json.loads(line)["a"] for line in (tmp_path / "out").read_text().splitlines()]
        nested = pa.types.is_nested(values.type)
        expected = [1.5, None, "Infinity", "-Infinity", *[None] * (len(values) - len(given))]
        assert found == ([[value] for value in expected] if nested else expected)


def test_json_extension_type_of_arrow_is_not_parsed(tmp_path: Path) -> None:
    texts = pa.array(["{\n}", "no json", None], pa.json_(pa.string()))
    rows = tmp_path / "in.parquet"
    pq.write_table(pa.table({"a": [1.0, 2.0, 3.0], "b": [0.0] * 3, "doc": texts}), rows)
    made = scored(rows, "parquet", tmp_path / "out.ndjson", "ndjson", pass_through=True)
    found = [json.loads(line)["doc"] for line in made.read_text().splitlines()]
    assert found == texts.to_pylist()
    made = scored(rows, "parquet", tmp_path / "out.parquet", "parquet", pass_through=True)
    assert pq.read_table(made)["doc"].type == texts.type
