"""Detects format and compression of a file, by its name and its first bytes."""

from tasks.jobs.files.naming import Compression, Format, named_format, wrong_content, wrong_input
from telemetry.errors import InvalidInput
from workers.jobs.tables.remote.opening import opened

_MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}


def format_of(uri: str, told: Format | None = None) -> tuple[Format, Compression | None]:
    """Format and compression: compression by the first bytes, the format by name if not ``told``.

    Raises `InvalidInput` if the format is unknown, `InputUnreadable` if the file cannot be read.
    """
    with opened(uri) as file:
        head = file.read(4)
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
