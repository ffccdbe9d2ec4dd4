"""Targets: the readers of batch job files."""

import gzip
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.fuzz.target import Parse, Target
from benchmarks.fuzz.targets.world import SIGNATURES
from tasks.jobs.files.dialect import Dialect
from tasks.jobs.files.naming import Format
from workers.jobs.tables.checking import check_file
from workers.jobs.tables.matching import Selection
from workers.jobs.tables.remote.opening import fingerprint
from workers.jobs.tables.remote.unpacking import unpack
from workers.jobs.tables.sources import open_source

WEIGHT = 4
"""Low, because a file takes some milliseconds."""
SELECTIONS = [
    Selection(signature, None, carries, dialect)
    for signature in SIGNATURES.values()
    for carries in (False, True)
    for dialect in (Dialect(), Dialect(delimiter=";", header=False, na=("-",)))
]
CSV = (
    b"\x02x0,x1\n1,2\n3,\n",
    b"\x06sep=;\r\nage;city;vip;since;note\r\n41;Bonn;true;2026-11-29;a\r\n;K\xc3\xb6ln;0;;\r\n",
    b'\x04custom_id\tage\tcity\tvip\tsince\tnote\n1\t"4"\t"Bonn"\tTRUE\t2026-11-29\t"a ""b""\n"\n',
    b"\x011.5;-\n2;3\n",
)
"""Each input begins with the number of the selection to read it with."""
NDJSON = (
    b'\x02{"x0": 1, "x1": 2}\n{"x0": 3, "x1": null}\n',
    b"\x00[1, 2]\n[3, NaN]\r\n\n",
    b'\x06{"custom_id":"a","age":41,"city":"Bonn","vip":true,"since":"2026-11-29","note":1}',
)


def _parquet() -> tuple[bytes, ...]:
    since, note = pa.array([datetime(2026, 11, 29), None]), ["a", None]  # noqa: DTZ001 - as files
    mixed = {"age": [41, None], "city": ["Bonn", "Köln"], "vip": [True, False]}
    texts = pa.array(["a", "b", "a"]).dictionary_encode()
    tables = (
        (0, pa.table({"x0": [1.0, 2.0], "x1": [3, None]})),
        (6, pa.table({**mixed, "since": since, "note": note})),
        (8, pa.table({"text": texts})),
    )
    return tuple(bytes([selection]) + _written(table) for selection, table in tables)


def _written(table: pa.Table) -> bytes:
    sink = BytesIO()
    pq.write_table(table, sink, row_group_size=2)
    return sink.getvalue()


def _source(format_: Format, directory: Path) -> Parse:
    path = directory / "input"

    def read(content: bytes) -> object:
        path.write_bytes(content[1:])
        selection = SELECTIONS[sum(content[:1]) % len(SELECTIONS)]
        source = open_source(str(path), format_, selection)
        try:
            return check_file(source, directory, 0)
        finally:
            source.close()

    return read


def _unpacked(directory: Path) -> Parse:
    path, target = directory / "input.gz", directory / "input"

    def read(content: bytes) -> None:
        path.write_bytes(content)
        target.unlink(missing_ok=True)
        unpack(str(path), fingerprint(str(path)), "gzip", target, 0, lambda: None)

    return read


TARGETS = (
    Target("CSV", CSV, partial(_source, "csv"), WEIGHT),
    Target("NDJSON", NDJSON, partial(_source, "ndjson"), WEIGHT),
    Target("Parquet", _parquet(), partial(_source, "parquet"), WEIGHT, may_abort=True),
    Target("gzip", tuple(gzip.compress(text, mtime=0) for text in CSV), _unpacked, WEIGHT),
)
