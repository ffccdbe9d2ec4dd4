"""Formats and compressions, by file name."""

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
_SPREADSHEETS = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
_MAGIC = {
    b"PK\x03\x04": "a spreadsheet, or another archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet of an old format",
}
_COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}


def named_format(uri: str) -> tuple[Format | None, Compression | None]:
    """Format and compression by suffix: ``rows.csv.gz`` is CSV in gzip."""
    suffix, compression = _suffix(uri)
    return _FORMATS.get(suffix), compression


def is_spreadsheet(uri: str) -> bool:
    """Whether the suffix is that of a spreadsheet."""
    return _suffix(uri)[0] in _SPREADSHEETS


def wrong_input(uri: str, told: Format | None) -> str | None:
    """Why an input of this name is refused, and what to do; None if it is accepted."""
    if told is None and is_spreadsheet(uri):
        return f"{PurePath(uri).name} is a spreadsheet; save it as CSV (UTF-8), and use that file"
    return None


def wrong_content(head: bytes) -> str | None:
    """Why an input with these first bytes is refused, whatever its name; None if it is accepted."""
    kind = _MAGIC.get(head[:4])
    return f"this is {kind}; save it as CSV (UTF-8), and use that file" if kind else None


def wrong_output(uri: str, told: Format | None) -> str | None:
    """Why an output of this name is refused, and what to do; None if it is accepted."""
    suffix, _ = _suffix(uri)
    name = PurePath(uri).name
    if is_spreadsheet(uri):
        return (
            f"{name} would be a spreadsheet; name it {PurePath(uri).stem}.csv, which spreadsheet "
            "programs open"
        )
    if told is None and suffix and suffix not in _FORMATS:
        return (
            f"{name} shows no format: name it .csv, .ndjson, .jsonl or .parquet, or give the format"
        )
    return None


def no_data(uri: str) -> str | None:
    """Why an output's suffix is refused, such as a program's; None for a data format."""
    if _suffix(uri)[0] in _FORMATS:
        return None
    suffixes = ", ".join(_FORMATS)
    name = PurePath(uri).name
    return f"{name} does not have the suffix of a data file: an output ends in one of {suffixes}"


def _suffix(uri: str) -> tuple[str, Compression | None]:
    """The suffix of the format, and the compression by the suffix after it."""
    # Two at most: in `rows.2024.csv.gz` only the last two say something about the content.
    suffixes = [suffix.lower() for suffix in PurePath(uri).suffixes[-2:]]
    compression = _COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    named = suffixes[:-1] if compression else suffixes
    return named[-1] if named else "", compression
