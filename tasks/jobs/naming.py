"""What a file's name tells: its format, and how it is packed."""

from pathlib import PurePath
from typing import Literal, get_args

Format = Literal["csv", "ndjson", "parquet"]
Compression = Literal["gzip", "zstd", "bz2"]

FORMATS: tuple[Format, ...] = get_args(Format)
_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}


def named_format(uri: str) -> tuple[Format | None, Compression | None]:
    """What the end of the name says: ``rows.csv.gz`` is a CSV file in gzip."""
    suffixes = [suffix.lower() for suffix in PurePath(uri).suffixes[-2:]]
    compression = _COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    named = suffixes[:-1] if compression else suffixes
    return _FORMATS.get(named[-1]) if named else None, compression
