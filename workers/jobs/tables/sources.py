"""Opens a file of any format as a source of rows for one model."""

from collections.abc import Callable
from typing import IO

from tasks.jobs.files.naming import Format
from workers.jobs.tables.csv.source import CsvSource
from workers.jobs.tables.features.matching import Selection
from workers.jobs.tables.ndjson.source import NdjsonSource
from workers.jobs.tables.parquet.source import ParquetSource
from workers.jobs.tables.remote.opening import open_file
from workers.jobs.tables.spans import Source

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
