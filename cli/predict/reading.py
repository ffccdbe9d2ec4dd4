"""Reads the input file of `predictq predict`."""

from collections.abc import Callable
from pathlib import PurePath

import click

from cli.predict.csv_table import from_csv
from cli.predict.model_inputs import VersionInputs
from cli.predict.rows import FileRows, Unreadable, from_json, from_ndjson
from tasks.jobs.files.dialect import Dialect
from tasks.jobs.files.naming import named_format, wrong_content, wrong_input, wrong_output

_JSON = {".json": from_json, ".ndjson": from_ndjson, ".jsonl": from_ndjson}


def read_rows(
    name: str, content: bytes, takes: Callable[[], VersionInputs | None], said: Dialect
) -> FileRows:
    """Read all rows of a file; raises `Unreadable`, which names the location.

    The format is given by the suffix: ``.json``, ``.ndjson`` or ``.jsonl``, else CSV, for which the
    columns of the model are looked up with ``takes``.
    """
    text = _text(name, content)
    if reader := _JSON.get(PurePath(name).suffix.lower()):
        if said != Dialect():
            raise Unreadable("--delimiter, --header, --decimal and --na are for CSV")
        found = FileRows([*reader(text)])
    else:
        found = from_csv(text, takes(), said)
    if not found.rows:
        raise Unreadable("no rows")
    return found


def check_output(name: str) -> None:
    """Raise `click.UsageError` if the name shows a format that is not written here."""
    if reason := wrong_output(name, "csv") or _only_batch(name):
        raise click.UsageError(reason)


def _text(name: str, content: bytes) -> str:
    if reason := wrong_input(name, None) or wrong_content(content) or _only_batch(name):
        raise Unreadable(reason)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("not UTF-8 text; save it as UTF-8") from error
    if "\0" in text[:1024]:
        raise Unreadable("not UTF-8 text; save it as UTF-8")
    return text


def _only_batch(name: str) -> str | None:
    """The message for Parquet and compressed files, which only `predictq batch` supports."""
    format_, compression = named_format(name)
    if format_ == "parquet" or compression:
        return f"{PurePath(name).name} is neither CSV nor JSON; use predictq batch for it"
    return None
