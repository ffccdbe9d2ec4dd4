"""What a caller may say of a batch job, and how the server is told."""

from collections.abc import Iterable
from os import PathLike
from typing import Any, TypedDict

from predictq.arguments import flag, number, text, told, unfit
from predictq.jobs.sources import place


class Options(TypedDict, total=False):
    """What may be said of a batch job; None is the same as nothing."""

    upload: bool
    """Whether to send the file; otherwise the server is told its path, and reads it there."""
    output: str | PathLike[str] | None
    """A path or URI that the server writes; without one the output can be downloaded."""
    overwrite: bool | None
    """Whether the output may take the place of a file; otherwise one that is there is an error."""
    methods: str | Iterable[str] | None
    """Of the model, one or several; ``predict`` by default."""
    input_format: str | None
    """``csv``, ``ndjson`` or ``parquet``; the name tells by default."""
    output_format: str | None
    """By the output's name by default, else the input's."""
    id_column: str | None
    """Carried through to output and errors; ``custom_id`` by default, where there is one."""
    include_input: bool | None
    """Whether the output has the input's columns, too."""
    error_threshold: float | None
    """Rows that may fail before the job stops: a number, or below 1 a share."""
    delimiter: str | None
    """What separates the fields of CSV; the server sniffs it by default."""
    header: bool | None
    """Whether the first record of CSV names the columns; the server sniffs it by default."""
    na: str | Iterable[str] | None
    """Texts of CSV that stand for a missing value, beside those that pandas takes for one."""


def fields_of(model: str, options: Options) -> dict[str, Any]:
    """The body that says so; raises `InvalidRequest` where an option cannot be meant."""
    fields: dict[str, Any] = {"model": text("model", model)}
    for name, value in options.items():
        if name not in Options.__annotations__:
            raise unfit(name, "there is no such option")
        if not (value is None or (isinstance(value, str | list | tuple) and not value)):
            fields |= _field(name, value)
    fields.pop("upload", None)
    return fields


def _field(name: str, value: Any) -> dict[str, Any]:
    match name:
        case "output":
            return {"output_uri": place(name, value)}
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
        raise unfit(name, f"expected texts, got {told(words)}") from error
    return [text(name, word) for word in several]


def as_form(fields: dict[str, Any]) -> dict[str, Any]:
    """The same as fields of a form, beside a file."""
    words = {True: "true", False: "false"}
    return {n: words[v] if isinstance(v, bool) else v for n, v in fields.items()}
