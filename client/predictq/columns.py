"""The names of a model's columns, by which rows that are lists are sent."""

import re
from typing import Any
from urllib.parse import quote

from predictq import wire
from predictq.connection import Connection


def column_names(connection: Connection, reference: str) -> list[str] | None:
    """Those of ``name``, ``name@alias`` or ``name:version``; None where the model has none.

    None, too, where there is no such version, which is said when it is asked for. Raises `NotFound`
    where there is no such model.
    """
    name = re.split("[@:]", reference)[0]
    model = wire.content(connection.send("GET", f"models/{quote(name, safe='')}"))
    return wire.read(lambda: _names(model, reference.removeprefix(name)))


def _names(model: dict[str, Any], which: str) -> list[str] | None:
    numbers = {"": model["latest"]}
    numbers |= {f":{number}": number for number in model["versions"]}
    numbers |= {f"@{alias}": number for alias, number in model["aliases"].items()}
    found = (version for version in model["details"] if version["version"] == numbers.get(which))
    signature = next((version["signature"] for version in found), None)
    if signature is None or not signature["named"]:
        return None
    return [column["name"] for column in signature["columns"]]
