"""The end of a file's name tells its format, and how it is packed."""

import pytest

from tasks.jobs.naming import named_format


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
def test_the_end_of_a_name(name: str, format_: str | None, compression: str | None) -> None:
    assert named_format(name) == (format_, compression)
