"""Looks up a model's column names, by which rows given as lists are sent."""

import re
from typing import Any
from urllib.parse import quote

from predictq.http import wire
from predictq.http.connection import Connection


def column_names(connection: Connection, reference: str) -> list[str] | None:
    """Column names of ``name``, ``name@alias`` or ``name:version``; None if it has none.

    Also None if there is no such version; the submission then raises the error. Raises `NotFound`
    if there is no such model.
    """
    model = wire.content(connection.send("GET", f"models/{quote(model_name(reference), safe='')}"))
    return wire.read(lambda: _names(signature_of(model, reference)))


def model_name(reference: str) -> str:
    """The model's name, without version or alias."""
    return re.split("[@:]", reference)[0]


def signature_of(model: dict[str, Any], reference: str) -> dict[str, Any] | None:
    """The signature of the version that ``reference`` means; None if there is none."""
    which = reference.removeprefix(model_name(reference))
    numbers = {"": model["latest"]}
    numbers |= {f":{number}": number for number in model["versions"]}
    numbers |= {f"@{alias}": _main(meaning) for alias, meaning in model["aliases"].items()}
    found = (version for version in model["details"] if version["version"] == numbers.get(which))
    return next((version["signature"] for version in found), None)


def _main(meaning: int | dict[str, int]) -> int:
    """The version of an alias; of a split, the one with the greatest share."""
    if isinstance(meaning, int):
        return meaning
    return max(sorted(map(int, meaning)), key=lambda version: meaning[str(version)])


def _names(signature: dict[str, Any] | None) -> list[str] | None:
    if signature is None or not signature["named"]:
        return None
    return [column["name"] for column in signature["columns"]]
