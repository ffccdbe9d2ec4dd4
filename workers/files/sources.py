"""Opens a file of any format as a source of rows for one model."""

from collections.abc import Callable

from registry.manifest import Signature
from tasks.jobs.naming import Format
from telemetry.errors import InputChanged
from workers.files.csv_source import CsvSource
from workers.files.ndjson_source import NdjsonSource
from workers.files.opening import fingerprint, open_file
from workers.files.parquet_source import ParquetSource
from workers.files.spans import Source

_KINDS: dict[Format, Callable[..., Source]] = {
    "csv": CsvSource,
    "ndjson": NdjsonSource,
    "parquet": ParquetSource,
}


def open_source(
    uri: str,
    format: Format,
    signature: Signature,
    *,
    id_column: str | None = None,
    pass_through: bool = False,
    expected: str | None = None,
) -> Source:
    """Open a file that is not compressed, and check that it fits the model.

    ``expected`` is the `fingerprint` that the file must have, else it is `InputChanged`. Without
    an ``id_column`` the column ``custom_id`` is it, where there is one. Raises `InvalidInput`
    where the file does not fit the model or is broken, `InputUnreadable` where it cannot be opened.
    """
    if expected is not None and fingerprint(uri) != expected:
        raise InputChanged(f"{uri} has changed since the job was accepted")
    file = open_file(uri)
    try:
        return _KINDS[format](uri, file, signature, id_column, pass_through)
    except BaseException:
        file.close()
        raise
