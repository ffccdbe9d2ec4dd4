"""The columns of a model, by whose names rows that are lists are sent."""

import re
from typing import Any
from urllib.parse import quote

from predictq.http import wire
from predictq.http.connection import Connection


def column_names(connection: Connection, reference: str) -> list[str] | None:
    """Those of ``name``, ``name@alias`` or ``name:version``; None where the model has none.

    None, too, where there is no such version, which is said when it is asked for. Raises `NotFound`
    where there is no such model.
    """
    model = wire.content(connection.send("GET", f"models/{quote(name_of(reference), safe='')}"))
    return wire.read(lambda: _names(signature_of(model, reference)))


def name_of(reference: str) -> str:
    """The model's name, without version or alias."""
    return re.split("[@:]", reference)[0]


def signature_of(model: dict[str, Any], reference: str) -> dict[str, Any] | None:
    """Of the version that is meant, out of what the server says of the model."""
    which = reference.removeprefix(name_of(reference))
    numbers = {"": model["latest"]}
    numbers |= {f":{number}": number for number in model["versions"]}
    numbers |= {f"@{alias}": number for alias, number in model["aliases"].items()}
    found = (version for version in model["details"] if version["version"] == numbers.get(which))
    return next((version["signature"] for version in found), None)


def _names(signature: dict[str, Any] | None) -> list[str] | None:
    if signature is None or not signature["named"]:
        return None
    return [column["name"] for column in signature["columns"]]
