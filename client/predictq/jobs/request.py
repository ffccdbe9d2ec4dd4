"""The options of a batch job, and the request body made of them."""

from collections.abc import Iterable
from difflib import get_close_matches
from os import PathLike
from typing import Any, TypedDict

from predictq.arguments import described, flag, invalid_argument, number, text
from predictq.jobs.sources import absolute_path


class Options(TypedDict, total=False):
    """Options of a batch job; None means the default."""

    upload: bool
    """Whether to upload the file; by default the server reads it from its path."""
    output: str | PathLike[str] | None
    """A path that the server writes to; by default the output is kept for download."""
    overwrite: bool | None
    """Whether the output may replace an existing file; by default that is an error."""
    methods: str | Iterable[str] | None
    """One or several methods of the model; ``predict`` by default."""
    input_format: str | None
    """``csv``, ``ndjson`` or ``parquet``; by default as the file's name shows."""
    output_format: str | None
    """Format of the output; by default the one that its name shows, else the input's."""
    id_column: str | None
    """Column copied to output and errors; ``custom_id`` by default, if the input has it."""
    include_input: bool | None
    """Whether to copy the input's columns to the output."""
    error_threshold: float | None
    """How many rows may fail before the job stops: a number, or if below 1 a share of all rows."""
    delimiter: str | None
    """Field separator of CSV; detected by the server by default."""
    header: bool | None
    """Whether the first record of CSV holds the column names; detected by default."""
    na: str | Iterable[str] | None
    """CSV texts that mean a missing value, in addition to those of pandas."""
    decimal: str | None
    """``.`` or ``,`` before the decimals of a number in CSV; detected by default."""
    sticky: str | None
    """Key for an alias that is split: one version answers all requests with the same key."""


def fields_of(model: str, options: Options) -> dict[str, Any]:
    """The fields of the request body; raises `InvalidRequest` for a wrong option."""
    fields: dict[str, Any] = {"model": text("model", model)}
    for name, value in options.items():
        if name not in Options.__annotations__:
            near = get_close_matches(name, Options.__annotations__, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise invalid_argument(name, f"there is no such option{meant}")
        if not (value is None or (isinstance(value, str | list | tuple) and not value)):
            fields |= _field(name, value)
    fields.pop("upload", None)
    return fields


def _field(name: str, value: Any) -> dict[str, Any]:
    match name:
        case "output":
            return {"output_uri": absolute_path(name, value)}
        case "methods" | "na":
            return {name: _several(name, value)}
        case "include_input" | "upload" | "header" | "overwrite":
            return {name: flag(name, value)}
        case "error_threshold":
            return {name: number(name, value)}
    return {name: text(name, value)}


def _several(name: str, words: Any) -> list[str]:
    try:
        several = [words] if isinstance(words, str) else list(words)
    except TypeError as error:
        raise invalid_argument(name, f"expected texts, got {described(words)}") from error
    return [text(name, word) for word in several]


def as_form(fields: dict[str, Any]) -> dict[str, Any]:
    """Convert the fields of the body to form fields."""
    words = {True: "true", False: "false"}
    return {n: words[v] if isinstance(v, bool) else v for n, v in fields.items()}
