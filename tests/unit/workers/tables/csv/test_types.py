"""Columns of every type can be written in every format, or are refused at once."""

import csv
import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.jobs.files.naming import FORMATS
from telemetry.errors import InvalidInput
from tests.unit.workers.tables.scoring import scored
from workers.jobs.tables.output.encoding import refuse_unwritable
from workers.jobs.tables.output.writing import assemble, write_part

NOON = datetime(2026, 1, 2, 12, 0, 0)  # noqa: DTZ001 - files hold such
ZOO = {
    "bool": pa.array([True, None]),
    "half": pa.array([1.5, None], pa.float16()),
    "decimal": pa.array([Decimal("1.50"), None]),
    "date": pa.array([NOON.date(), None]),
    "zoned": pa.array([NOON, None], pa.timestamp("us", "UTC")),
    "nanoseconds": pa.array([NOON, None], pa.timestamp("ns")),
    "duration": pa.array([timedelta(1), None], pa.duration("ns")),
    "time": pa.array([NOON.time(), None], pa.time64("ns")),
    "binary": pa.array([b"\xe9", None]),
    "fixed": pa.array([b"\xe9\xe9", None], pa.binary(2)),
    "text": pa.array(["x", None], pa.string_view()),
    "category": pa.array(["x", None]).dictionary_encode(),
    "octets": pa.array([b"\xe9", None]).dictionary_encode(),
    "nothing": pa.nulls(2),
    "list": pa.array([[NOON], None], pa.list_(pa.timestamp("ns"))),
    "struct": pa.array([{"a": b"\xe9", "b": Decimal("1.5")}, None]),
    "map": pa.array([[("k", timedelta(1))], None], pa.map_(pa.string(), pa.duration("ns"))),
}


def test_csv_can_write_every_parquet_type(tmp_path: Path) -> None:
    write_part(tmp_path / "part", "csv", pa.table(ZOO), 0)
    with (tmp_path / "part").open(newline="") as file:
        _, first, second = csv.reader(file)
    assert dict(zip(ZOO, first, strict=True)) == {
        "bool": "true",
        "half": "1.5",
        "decimal": "1.50",
        "date": "2026-01-02",
        "zoned": "2026-01-02 12:00:00.000000Z",
        "nanoseconds": "2026-01-02 12:00:00.000000000",
        "duration": "86400000000000",
        "time": "12:00:00.000000000",
        "binary": "6Q==",
        "fixed": "6ek=",
        "text": "x",
        "category": "x",
        "octets": "6Q==",
        "nothing": "",
        "list": '["2026-01-02T12:00:00"]',
        "struct": '{"a":"6Q==","b":1.5}',
        "map": '[["k","P1DT0H0M0S"]]',
    }
    assert set(second) == {""}


def test_ndjson_can_write_every_parquet_type(tmp_path: Path) -> None:
    write_part(tmp_path / "part", "ndjson", pa.table(ZOO), 0)
    first, second = map(json.loads, (tmp_path / "part").read_text().splitlines())
    assert first == {
        "bool": True,
        "half": 1.5,
        "decimal": 1.5,
        "date": "2026-01-02",
        "zoned": "2026-01-02T12:00:00Z",
        "nanoseconds": "2026-01-02T12:00:00",
        "duration": "P1DT0H0M0S",
        "time": "12:00:00",
        "binary": "6Q==",
        "fixed": "6ek=",
        "text": "x",
        "category": "x",
        "octets": "6Q==",
        "nothing": None,
        "list": ["2026-01-02T12:00:00"],
        "struct": {"a": "6Q==", "b": 1.5},
        "map": [["k", "P1DT0H0M0S"]],
    }
    assert second == dict.fromkeys(ZOO)


def test_columns_of_any_type_are_carried_from_parquet_to_parquet(tmp_path: Path) -> None:
    parts = [pa.table(ZOO), pa.table({**ZOO, "category": pa.array(["y", "z"]).dictionary_encode()})]
    parts.append(pa.concat_tables(parts))
    for number, part in enumerate(parts):
        write_part(tmp_path / str(number), "parquet", part, 0)
    assemble(
        [tmp_path / str(number) for number in range(3)], tmp_path / "out.parquet", "parquet", 0
    )
    made = pq.read_table(tmp_path / "out.parquet")
    assert made.to_pylist() == pa.concat_tables(parts).to_pylist()
    assert made["category"].type == ZOO["category"].type


def test_large_integers_stand_beside_fractions(tmp_path: Path) -> None:
    for number, value in enumerate((2**53 + 1, 0.5)):
        write_part(tmp_path / str(number), "parquet", pa.table({"prediction": [value]}), 0)
    assemble([tmp_path / "0", tmp_path / "1"], tmp_path / "out.parquet", "parquet", 0)
    assert pq.read_table(tmp_path / "out.parquet")["prediction"].to_pylist() == [2.0**53, 0.5]


@pytest.mark.parametrize("format", FORMATS)
def test_unwritable_type_is_refused_at_once(format: Any) -> None:
    refuse_unwritable(pa.table(ZOO), format)
    late = pa.array([2**62], pa.timestamp("s"))
    interval = pa.array([(1, 2, 3)], pa.month_day_nano_interval())
    with pytest.raises(InvalidInput, match=f"cannot be written as {format}: "):
        refuse_unwritable(pa.table({"late": late, "interval": interval}), format)


def test_csv_takes_what_parquet_holds(tmp_path: Path) -> None:
    table = pa.table({"a": [1.0], "b": [2.0], "tags": [["u", "v"]], "day": [date(2026, 1, 2)]})
    pq.write_table(table, tmp_path / "in.parquet")
    source = tmp_path / "in.parquet"
    made = scored(source, "parquet", tmp_path / "out.csv", "csv", pass_through=True)
    assert made.read_text().splitlines()[1].startswith('1,2,"[""u"",""v""]",2026-01-02,"no",')
