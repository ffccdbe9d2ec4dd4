"""Formats and compressions by the suffix of a file's name."""

import pytest

from tasks.jobs.files.naming import Format, named_format, wrong_content, wrong_input, wrong_output


@pytest.mark.parametrize(
    ("name", "format_", "compression"),
    [
        ("/data/rows.csv", "csv", None),
        ("s3://bucket/rows.v2.CSV", "csv", None),
        ("rows.jsonl.gz", "ndjson", "gzip"),
        ("rows.ndjson.zst", "ndjson", "zstd"),
        ("rows.pq", "parquet", None),
        ("rows.parquet.bz2", "parquet", "bz2"),
        ("rows.gz", None, "gzip"),
        ("rows.csv.bak", None, None),
        ("rows.csv.gz.gz", None, "gzip"),
        ("rows.csv/rows", None, None),
        ("rows", None, None),
    ],
)
def test_format_is_found_by_the_suffix(
    name: str, format_: str | None, compression: str | None
) -> None:
    assert named_format(name) == (format_, compression)


@pytest.mark.parametrize(
    ("name", "told", "read", "written"),
    [
        ("rows.csv", None, True, True),
        ("rows", None, True, True),
        ("rows.parquet", "csv", True, True),
        ("rows.XLSX", None, False, False),
        ("rows.xls", "csv", True, False),
        ("/data/rows.ods.gz", None, False, False),
        ("rows.txt", None, True, False),
        ("rows.txt", "ndjson", True, True),
        ("rows.csv.bak", None, True, False),
    ],
)
def test_formats_that_a_name_forbids(
    name: str, told: Format | None, *, read: bool, written: bool
) -> None:
    assert (wrong_input(name, told) is None) is read
    assert (wrong_output(name, told) is None) is written


@pytest.mark.parametrize("head", [b"PK\x03\x04....", b"\xd0\xcf\x11\xe0..", b"a,b\n", b""])
def test_spreadsheet_is_recognised_by_its_first_bytes(head: bytes) -> None:
    assert ("save it as CSV" in (wrong_content(head) or "")) is (head[:1] in (b"P", b"\xd0"))
