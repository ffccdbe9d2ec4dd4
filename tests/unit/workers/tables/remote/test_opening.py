"""Local and remote files: format, compression, and the detection of changes."""

import bz2
import fcntl
import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import psutil
import pyarrow as pa
import pytest

from tasks.jobs.files.naming import Compression, Format
from telemetry.errors import (
    InputChanged,
    InputUnreadable,
    InvalidInput,
    OutputUnwritable,
)
from tests.unit.workers.tables.sources import file_on_failing_disk, numbers, source_of, unpacked
from workers.jobs.tables import sources
from workers.jobs.tables.records import cutting
from workers.jobs.tables.remote import opening, unpacking
from workers.jobs.tables.remote.opening import fingerprint
from workers.jobs.tables.replacing import open_to_add, temporary_path
from workers.jobs.tables.sources import format_of

CONTENT = b"a,b\n" + b"1,2\n" * 100_000
PACKERS: dict[Compression, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "zstd": lambda content: pa.compress(content, "zstd", asbytes=True),
}
ENDINGS = {"gzip": ".gz", "bz2": ".bz2", "zstd": ".zst"}


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("rows.csv", b"a\n", ("csv", None)),
        ("ROWS.CSV", b"a\n", ("csv", None)),
        ("rows.2026.ndjson", b"{}", ("ndjson", None)),
        ("rows.jsonl", b"", ("ndjson", None)),
        ("rows.csv.gz", gzip.compress(b"a", mtime=0), ("csv", "gzip")),
        ("rows.csv", gzip.compress(b"a", mtime=0), ("csv", "gzip")),
        ("rows.csv.gz", b"a\n", ("csv", None)),
        ("rows.parquet", b"PAR1", ("parquet", None)),
        ("rows", b"PAR1", ("parquet", None)),
    ],
)
def test_format_and_compression_of_a_file(
    tmp_path: Path, name: str, content: bytes, found: object
) -> None:
    (tmp_path / name).write_bytes(content)
    assert format_of(str(tmp_path / name)) == found


def test_input_name_without_a_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_bytes(b"a\n")
    with pytest.raises(InvalidInput, match="must end in"):
        format_of(str(tmp_path / "rows.txt"))


def test_missing_input_is_reported(tmp_path: Path) -> None:
    for name in ("missing.csv", "."):
        with pytest.raises(InputUnreadable, match="cannot be read: (No such file|Is a directory)"):
            format_of(str(tmp_path / name))


@pytest.mark.parametrize("compression", PACKERS)
def test_compressed_file_is_unpacked(tmp_path: Path, compression: Compression) -> None:
    packed = tmp_path / f"rows.csv{ENDINGS[compression]}"
    packed.write_bytes(PACKERS[compression](CONTENT))
    assert format_of(str(packed)) == ("csv", compression)
    unpacked(packed, compression, tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_bytes() == CONTENT


def test_gzip_of_several_members_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "rows.gz").write_bytes(
        gzip.compress(CONTENT[:1000]) + gzip.compress(CONTENT[1000:])
    )
    unpacked(tmp_path / "rows.gz", "gzip", tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_bytes() == CONTENT


@pytest.mark.parametrize("compression", PACKERS)
@pytest.mark.parametrize("broken", [lambda c: c[:-20], lambda c: c[:30], lambda c: c[:8] + c[40:]])
def test_compressed_file_that_is_broken_or_truncated_is_refused(
    tmp_path: Path, compression: Compression, broken: Callable[[bytes], bytes]
) -> None:
    packed = tmp_path / "rows.csv.packed"
    packed.write_bytes(broken(PACKERS[compression](os.urandom(10_000))))
    with pytest.raises(InvalidInput, match=f"is not a complete {compression} file"):
        unpacked(packed, compression, tmp_path / "rows.csv")
    assert [*tmp_path.iterdir()] == [packed]


def test_leftover_of_a_killed_process_is_cleared_unless_in_use(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(CONTENT))
    dead, alive = (temporary_path(tmp_path / "rows.csv") for _ in range(2))
    dead.touch()
    with alive.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        unpacked(tmp_path / "rows.csv.gz", "gzip", tmp_path / "rows.csv")
    assert {*tmp_path.iterdir()} == {alive, tmp_path / "rows.csv", tmp_path / "rows.csv.gz"}


def test_disk_error_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(CONTENT)
    disk, file = file_on_failing_disk(path)
    monkeypatch.setattr(cutting, "BLOCK", 1000)
    monkeypatch.setattr(sources, "open_input", lambda _: file)
    source = source_of(path, "csv", numbers("a", "b"))
    spans = source.spans(1000)
    span = next(spans)
    disk.fails = True
    for failing in (lambda: source.read(span), lambda: list(spans), lambda: list(source.spans(9))):
        with pytest.raises(InputUnreadable, match="Input/output error"):
            failing()
    with pytest.raises(InputUnreadable, match="Input/output error"):
        source_of(path, "csv", numbers("a", "b"))


def test_disk_error_at_the_first_stat_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(CONTENT)
    for look in (fingerprint, format_of):
        disk, file = file_on_failing_disk(path)
        disk.fails = True
        monkeypatch.setattr(opening, "open_input", lambda _, file=file: file)
        with pytest.raises(InputUnreadable, match="rows.csv cannot be read: Input/output error"):
            look(str(path))


def test_disk_error_while_unpacking_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(os.urandom(2**20)))
    disk, file = file_on_failing_disk(path)
    disk.fails = True
    monkeypatch.setattr(unpacking, "opened", lambda _: file)
    with pytest.raises(InputUnreadable, match="rows.csv.gz cannot be read: Input/output error"):
        unpacked(path, "gzip", tmp_path / "rows.csv")


def test_file_that_changes_while_it_is_unpacked_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(CONTENT))
    monkeypatch.setattr(
        unpacking, "opened", lambda uri: os.utime(path, (1, 1)) or opening.opened(uri)
    )
    with pytest.raises(InputChanged):
        unpacked(path, "gzip", tmp_path / "rows.csv")
    with pytest.raises(InputChanged):
        unpacking.unpack(str(path), "of another", "gzip", tmp_path / "rows.csv", 0, bool)
    assert [*tmp_path.iterdir()] == [path]


def test_frozen_writer_takes_nothing_from_its_successor(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with open_to_add(path, 0) as frozen:
        with open_to_add(path, 0) as successor:
            successor.write(CONTENT)
        source = source_of(path, "csv", numbers("a", "b"))
        frozen.write(b"late")
    assert sum(source.read(span).rows for span in source.spans(30_000)) == 100_000
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.timeout(10)
def test_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows.csv")
    for uri in (str(tmp_path / "rows.csv"), "/dev/zero"):
        with pytest.raises(InputUnreadable, match="it is not a regular file"):
            format_of(uri, "csv")


def test_unwritable_target_while_unpacking_is_reported(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(CONTENT))
    with pytest.raises(OutputUnwritable):
        unpacked(tmp_path / "rows.csv.gz", "gzip", tmp_path / "missing" / "rows.csv")


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(CONTENT[:-4]),
        lambda path: path.write_bytes(b"x" + CONTENT[1:]),
        lambda path: path.write_bytes(CONTENT[:-1] + b"x"),
        lambda path: os.utime(path, (1, 1)),
        lambda path: (
            path.with_name("new").write_bytes(CONTENT) and path.with_name("new").replace(path)
        ),
    ],
)
def test_fingerprint_changes_with_a_file(tmp_path: Path, change: Callable[[Path], object]) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(CONTENT)
    before = fingerprint(str(path))
    assert fingerprint(str(path)) == before
    change(path)
    assert fingerprint(str(path)) != before


@pytest.mark.parametrize("format", ["csv", "ndjson", "parquet"])
def test_file_size_is_the_end_of_its_last_span(tmp_path: Path, format: Format) -> None:
    path, rows = tmp_path / "rows", pd.DataFrame({"a": range(100), "b": range(100)})
    match format:
        case "csv":
            rows.to_csv(path, index=False)
        case "ndjson":
            rows.to_json(path, orient="records", lines=True)
        case "parquet":
            rows.to_parquet(path)
    source = source_of(path, format, numbers("a", "b"))
    *_, last = source.spans(30)
    assert source.size == last.stop


def test_deleted_input_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(CONTENT)
    source = source_of(path, "csv", numbers("a", "b"))
    first, *_ = source.spans(1000)
    path.unlink()
    with pytest.raises(InputUnreadable, match="No such file"):
        source.read(first)


def test_unpacking_a_broken_file_keeps_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(CONTENT)[:-9])
    process = psutil.Process()

    def grown(times: int) -> int:
        before = process.memory_info().vms
        for _ in range(times):
            with pytest.raises(InvalidInput):
                unpacking.unpack(
                    str(path), fingerprint(str(path)), "gzip", tmp_path / "rows", 0, lambda: None
                )
        return process.memory_info().vms - before

    grown(10)
    assert grown(100) < 50 * 2**20, "the buffer of each try is 1 MiB"
