"""Opens a file of any format as a source of rows for one model."""

from collections.abc import Callable
from typing import IO

from tasks.jobs.naming import Format
from workers.files.csv_source import CsvSource
from workers.files.matching import Selection
from workers.files.ndjson_source import NdjsonSource
from workers.files.opening import open_file
from workers.files.parquet_source import ParquetSource
from workers.files.spans import Source

_KINDS: dict[Format, Callable[[str, IO[bytes], Selection], Source]] = {
    "csv": CsvSource,
    "ndjson": NdjsonSource,
    "parquet": ParquetSource,
}


def open_source(uri: str, format: Format, selection: Selection) -> Source:
    """Open a file that is not compressed, and check that it fits the model.

    Raises `InvalidInput` where it does not or is broken, `InputUnreadable` where it cannot be
    opened.
    """
    file = open_file(uri)
    try:
        return _KINDS[format](uri, file, selection)
    except BaseException:
        file.close()
        raise
