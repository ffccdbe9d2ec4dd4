"""Writes keep the disk reserve, and name it in the error if it is reached."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from tasks.jobs.files.disk_reserve import WRITE_BYTES, open_with_reserve
from telemetry.errors import OutputUnwritable
from tests.support.disk_filler import DiskFiller
from workers.jobs.tables.output.writing import assemble, write_errors, write_part
from workers.jobs.tables.remote.opening import fingerprint
from workers.jobs.tables.remote.unpacking import unpack
from workers.jobs.tables.replacing import check_writable
from workers.jobs.tables.spans import BadRow
from workers.jobs.validation.planning import write_plan

ROWS = pa.table({"prediction": range(1000)})
ENDLESS = 2**60
"""More bytes than any disk has."""
Writer = Callable[[Path, int], object]


def _parts(directory: Path) -> list[Path]:
    parts = [directory.parent / "0", directory.parent / "1"]
    for part in parts:
        write_part(part, "csv", ROWS, 0)
    return parts


def _arrow(directory: Path) -> list[Path]:
    write_part(part := directory.parent / "0", "parquet", ROWS, 0)
    return [part]


def _unpack(directory: Path, spare: int) -> None:
    packed = directory.parent / "rows.csv.gz"
    packed.write_bytes(gzip.compress(b"a\n1\n"))
    found, target = fingerprint(str(packed)), directory / "rows.csv"
    unpack(str(packed), found, "gzip", target, spare, lambda: None)


WRITERS: dict[str, Writer] = {
    "csv part": lambda folder, spare: write_part(folder / "part", "csv", ROWS, spare),
    "ndjson part": lambda folder, spare: write_part(folder / "part", "ndjson", ROWS, spare),
    "arrow part": lambda folder, spare: write_part(folder / "part", "parquet", ROWS, spare),
    "errors": lambda folder, spare: write_errors(folder / "bad", [BadRow(1, "", "c", "m")], spare),
    "csv": lambda folder, spare: assemble(_parts(folder), folder / "out.csv", "csv", spare),
    "packed": lambda folder, spare: assemble(_parts(folder), folder / "out.csv.gz", "csv", spare),
    "parquet": lambda folder, spare: assemble(_arrow(folder), folder / "out", "parquet", spare),
    "plan": lambda folder, spare: write_plan(folder / "plan", [], spare),
    "unpacked": _unpack,
    "nothing": lambda folder, spare: check_writable(folder / "out", spare),
}


@pytest.mark.parametrize("name", WRITERS)
def test_disk_reserve_refuses_writing(tmp_path: Path, name: str) -> None:
    (folder := tmp_path / "folder").mkdir()
    with pytest.raises(OutputUnwritable, match=f"{ENDLESS // 2**20} MiB of its disk must stay"):
        WRITERS[name](folder, ENDLESS)
    assert not [*folder.iterdir()]
    WRITERS[name](folder, 0)
    assert bool([*folder.iterdir()]) == (name != "nothing")


def test_disk_reserve_is_checked_while_a_file_is_written(tmp_path: Path) -> None:
    filler = DiskFiller(tmp_path)
    with open_with_reserve(tmp_path / "rows", "xb", filler.bound) as file:
        file.write(b"1" * 3 * WRITE_BYTES)
        with filler, pytest.raises(OSError, match="must stay free"):
            file.write(b"2" * 3 * WRITE_BYTES)
    assert (tmp_path / "rows").read_bytes().startswith(b"1" * 3 * WRITE_BYTES)


def test_disk_reserve_ignores_a_disk_without_a_size() -> None:
    with open_with_reserve(Path("/proc/self/clear_refs"), "wb", ENDLESS) as file:
        file.write(b"1")
