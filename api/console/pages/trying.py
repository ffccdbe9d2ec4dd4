"""The form of a model: a field for each column, and what it sends as JSON."""

import shlex
from collections.abc import Mapping
from typing import Any

import msgspec

from registry.manifest import Column, Manifest
from tasks.wire import decode
from telemetry.errors import Malformed

MAX_FORM_FIELDS = 60
"""Columns of a form; a model with more is asked with JSON."""
MAX_CHOICES = 100
"""Values of a category that a list offers; beyond it, the value is typed."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the form."""

    name: str
    """Name of the form's field; a column's name might clash with others."""
    label: str
    hint: str
    choices: list[str]
    """Values to choose from, as JSON; empty for a field in which the value is typed."""
    value: str
    """Text in the field at first."""


def fields_of(manifest: Manifest, typed: Mapping[str, str]) -> list[Field]:
    """The fields of a form, filled with what was typed, else with the version's example.

    There are none for a model of more than `MAX_FORM_FIELDS` columns.
    """
    columns = manifest.signature.columns
    if len(columns) > MAX_FORM_FIELDS:
        return []
    row = manifest.example or [None] * len(columns)
    return [
        _field(f"x{i}", column, typed.get(f"x{i}", _as_typed(value)))
        for i, (column, value) in enumerate(zip(columns, row, strict=False))
    ]


def _field(name: str, column: Column, value: str) -> Field:
    choices = [True, False] if column.type == "boolean" else list(column.categories or ())
    shown = choices if len(choices) <= MAX_CHOICES else []
    return Field(
        name=name,
        label=column.name,
        hint=_hint(column),
        choices=[_as_typed(choice) for choice in shown],
        value=value,
    )


def _hint(column: Column) -> str:
    span = ""
    if column.least is not None and column.greatest is not None:
        span = f", {column.least} to {column.greatest} in the sample"
    missing = ", empty for a missing value" if column.nullable else ""
    return f"{column.type}{span}{missing}"


def _as_typed(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=str).decode()


def features_of(manifest: Manifest, typed: Mapping[str, str]) -> Any:
    """The row that the form holds, or the JSON pasted into it; raises `Malformed`."""
    if pasted := typed.get("json", "").strip():
        return decode(pasted.encode())
    columns = manifest.signature.columns
    row = [_value(column, typed.get(f"x{i}", "").strip()) for i, column in enumerate(columns)]
    return [row]


def _value(column: Column, text: str) -> Any:
    if not text:
        return None
    if column.type in ("number", "boolean", "any", "category"):
        try:
            return decode(text.encode())
        except Malformed:
            return text
    return text


def curl_of(base: str, body: bytes) -> str:
    """The command that sends the same body."""
    header = "-H 'content-type: application/json'"
    return f"curl -s {shlex.quote(base + 'predict')} {header} \\\n  -d {shlex.quote(body.decode())}"
