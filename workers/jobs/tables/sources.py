"""Files of rows: detects their formats, and opens them as sources for a model."""

from collections.abc import Callable
from typing import IO

from tasks.jobs.files.naming import Compression, Format, named_format, wrong_content, wrong_input
from telemetry.errors import InvalidInput
from workers.jobs.tables.csv.source import CsvSource
from workers.jobs.tables.matching import Selection
from workers.jobs.tables.ndjson.source import NdjsonSource
from workers.jobs.tables.parquet.source import ParquetSource
from workers.jobs.tables.remote.opening import open_input, opened
from workers.jobs.tables.spans import Source

_KINDS: dict[Format, Callable[[str, IO[bytes], Selection], Source]] = {
    "csv": CsvSource,
    "ndjson": NdjsonSource,
    "parquet": ParquetSource,
}
_MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}


def format_of(uri: str, told: Format | None = None) -> tuple[Format, Compression | None]:
    """Format and compression: compression by the first bytes, the format by name if not ``told``.

    Raises `InvalidInput` if the format is unknown, `InputUnreadable` if the file cannot be read.
    """
    with opened(uri) as file:
        head = file.read(4)
    # Before the name is asked: Parquet is recognised whatever it is called.
    if head == b"PAR1":
        return "parquet", None
    if wrong := wrong_content(head):
        raise InvalidInput(f"{uri}: {wrong}")
    compression = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    named = told or named_format(uri)[0]
    if wrong := wrong_input(uri, told):
        raise InvalidInput(wrong)
    if named is None:
        raise InvalidInput(f"{uri}: the name must end in .csv, .ndjson, .jsonl or .parquet")
    return named, compression


def open_source(uri: str, format: Format, selection: Selection) -> Source:
    """Open an uncompressed file, and check that it fits the model.

    Raises `InvalidInput` if it does not or is broken, `InputUnreadable` if it cannot be opened.
    """
    file = open_input(uri)
    try:
        return _KINDS[format](uri, file, selection)
    except BaseException:
        file.close()
        raise
