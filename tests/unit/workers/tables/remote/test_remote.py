"""Remote files are read in place; errors say whether they are transient."""

import errno
import gzip
import re
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFile

from telemetry.errors import InputUnavailable, InputUnreadable
from tests.unit.workers.tables.sources import numbers, source_of
from workers.jobs.tables.remote.opening import fingerprint
from workers.jobs.tables.remote.unpacking import unpack
from workers.jobs.tables.sources import format_of

URI = "memory://bucket/rows.csv"
CONTENT = b"a,b\n" + b"1,2\n" * 100_000


def put(content: bytes) -> None:
    with fsspec.open(URI, "wb") as file:
        file.write(content)


def test_remote_file_is_read_in_place() -> None:
    put(CONTENT)
    assert format_of(URI) == ("csv", None)
    source = source_of(URI, "csv", numbers("a", "b"))
    assert sum(source.read(span).rows for span in source.spans(30_000)) == 100_000


ERRORS = pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("the cable is cut"), InputUnavailable),
        (TimeoutError(), InputUnavailable),
        (OSError(errno.EBUSY, "slow down"), InputUnavailable),
        (ConnectionResetError("gone"), InputUnavailable),
        (FileNotFoundError("no such key"), InputUnreadable),
        (PermissionError("denied"), InputUnreadable),
        (OSError(errno.EINVAL, "what?"), InputUnreadable),
    ],
)


def fail_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise error

    monkeypatch.setattr(MemoryFile, "read", fail)


@ERRORS
def test_remote_read_error_is_reported(
    monkeypatch: pytest.MonkeyPatch, error: Exception, told: type[InputUnreadable]
) -> None:
    put(CONTENT)
    source = source_of(URI, "csv", numbers("a", "b"))
    span = next(source.spans(10))
    fail_with(error, monkeypatch)
    for read in (lambda: source.read(span), lambda: format_of(URI)):
        with pytest.raises(
            InputUnreadable, match=f"cannot be read: .*{re.escape(str(error))}"
        ) as e:
            read()
        assert e.type is told


@ERRORS
def test_remote_read_error_while_unpacking_is_reported(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    told: type[InputUnreadable],
) -> None:
    put(gzip.compress(CONTENT))
    found = fingerprint(URI)
    fail_with(error, monkeypatch)
    with pytest.raises(InputUnreadable) as e:
        unpack(URI, found, "gzip", tmp_path / "rows.csv", 0, lambda: None)
    assert e.type is told


@pytest.mark.parametrize("uri", ["nowhere://bucket/rows.csv", "memory://bucket/missing.csv"])
def test_remote_uri_of_unknown_scheme_is_reported(uri: str) -> None:
    with pytest.raises(InputUnreadable, match="cannot be read") as e:
        format_of(uri)
    assert e.type is InputUnreadable
