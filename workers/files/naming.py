"""Which format a file has, and how it is compressed."""

from pathlib import PurePath
from typing import Literal, get_args

from telemetry.errors import InvalidInput
from workers.files.opening import opened

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
_MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}


def named_format(uri: str) -> tuple[Format | None, Compression | None]:
    """What the name says: ``rows.csv.gz`` is a CSV file in gzip."""
    suffixes = [suffix.lower() for suffix in PurePath(uri).suffixes[-2:]]
    compression = _COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    named = suffixes[:-1] if compression else suffixes
    return _FORMATS.get(named[-1]) if named else None, compression


def format_of(uri: str, told: Format | None = None) -> tuple[Format, Compression | None]:
    """What the file is: compression by its first bytes, format by name where nobody told it.

    Raises `InvalidInput` where neither tells, `InputUnreadable` where there is no such file.
    """
    with opened(uri) as file:
        head = file.read(4)
    if head == b"PAR1":
        return "parquet", None
    compression = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    named = told or named_format(uri)[0]
    if named is None:
        raise InvalidInput(f"{uri}: the name must end in .csv, .ndjson, .jsonl or .parquet")
    return named, compression
