"""Opens a file of any format as a source of rows for a model."""

from collections.abc import Callable
from typing import IO

from tasks.jobs.files.naming import Format
from workers.jobs.tables.csv.source import CsvSource
from workers.jobs.tables.features.matching import Selection
from workers.jobs.tables.ndjson.source import NdjsonSource
from workers.jobs.tables.parquet.source import ParquetSource
from workers.jobs.tables.remote.opening import open_input
from workers.jobs.tables.spans import Source

_KINDS: dict[Format, Callable[[str, IO[bytes], Selection], Source]] = {
    "csv": CsvSource,
    "ndjson": NdjsonSource,
    "parquet": ParquetSource,
}


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
