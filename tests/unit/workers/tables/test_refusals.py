"""Text that does not fit is refused, with its line, without reading an endless record."""

from pathlib import Path
from typing import Any

import pytest

from telemetry.errors import InvalidInput
from tests.unit.workers.tables.sources import file_on_failing_disk, numbers, source_of, written
from workers.jobs.tables import sources
from workers.jobs.tables.records import cutting, record_file

AB = numbers("a", "b")


@pytest.mark.parametrize(
    ("format", "content", "message"),
    [
        ("csv", b"", "the file is empty"),
        ("csv", b"\xef\xbb\xbf", "the file is empty"),
        ("csv", b"\n\n", "the file is empty"),
        ("csv", b"a,b", "line 1: the file has a header and no rows"),
        ("csv", b"a,b\r\n\r\n\n", "line 1: the file has a header and no rows"),
        ("csv", b"a,c\n1,2\n", "the file has no column 'b'; it has 'a', 'c'"),
        ("csv", b"a:b\n1:2\n", "the file has no column 'a', 'b'; it has 'a:b'"),
        ("csv", b"a;c\n1;2\n", "the file has no column 'b'; it has 'a', 'c'"),
        ("csv", b"a,b,a\n1,2,3\n", "more than one column 'a'"),
        ("csv", b"a,b,caf\xe9\n1,2,3\n", "line 1: the header is not UTF-8 (byte 7: 0xe9)"),
        ("csv", "a,b\n1,2\n".encode("utf-16"), "line 1: the file is not UTF-8 text"),
        ("csv", b"PAR1\0\0\0\0\0", "line 1: the file is not UTF-8 text"),
        ("csv", b"a,b\r1,2\r", "cannot be read: lines end with a carriage return alone"),
        ("csv", b'a,"b\n1,2\n', "line 1: the header cannot be read"),
        ("ndjson", b"", "the file is empty"),
        ("ndjson", b"\n\r\n", "the file is empty"),
        ("ndjson", b"\xef\xbb\xbf", "the file is empty"),
        ("ndjson", b"a,b\n1,2\n", "line 1: the line must be a JSON object"),
        ("ndjson", b'[{"a": 1, "b": 2}]\n', "line 1: the model has column names"),
        ("ndjson", b'{"a": 1}\n{"a": 2}\n', "the file has no column 'b'; it has 'a'"),
        ("ndjson", '{"a": 1}'.encode("utf-16"), "line 1: the file is not UTF-8 text"),
        ("ndjson", b'{"a": 1, "b": 2}\xff\xfe', "line 1: the line must be a JSON object"),
    ],
)
def test_file_that_does_not_fit_is_refused(
    tmp_path: Path, format: Any, content: bytes, message: str
) -> None:
    with pytest.raises(InvalidInput) as told:
        source_of(written(tmp_path, content), format, AB)
    assert message in told.value.message


@pytest.mark.parametrize(
    ("format", "content", "message"),
    [
        ("csv", 'a,"b\n', "line 1: no record ends within"),
        ("csv", 'a,b\n1,"2', "line 2: no record ends within"),
        ("csv", 'a,b\n1,2\n3,"4\n', "line 3: a quoted field does not end within 100 bytes"),
        ("ndjson", '{"a": 1, "b": 2}\n{"a":', "line 2: no record ends within"),
        ("ndjson", '{"a": 1, "b": 2}\n' * 2 + "{", "line 3: the record does not end within 100"),
    ],
)
def test_record_without_an_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: Any, content: str, message: str
) -> None:
    for module in (cutting, record_file):
        monkeypatch.setattr(module, "BLOCK", 16)
        monkeypatch.setattr(module, "MAX_RECORD", 100)
    disk, file = file_on_failing_disk(written(tmp_path, content + "5,6 " * 10_000))
    monkeypatch.setattr(sources, "open_input", lambda _: file)
    with pytest.raises(InvalidInput, match=message):
        list(source_of(tmp_path / "rows", format, AB).spans(1))
    assert disk.read_bytes < 2000


@pytest.mark.timeout(10)
def test_duplicate_name_is_found_among_very_many(tmp_path: Path) -> None:
    names = [f"x{index}" for index in range(8_000)]
    header = ",".join(["a", "b", *names, names[-1]])
    source_of(written(tmp_path, f"{header}\n1\n"), "csv", AB)
    with pytest.raises(InvalidInput, match="more than one column 'x7999'"):
        source_of(written(tmp_path, f"{header}\n1\n"), "csv", AB, pass_through=True)
