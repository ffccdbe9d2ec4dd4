"""The columns of a model, from the server."""

from dataclasses import dataclass
from typing import Any

from predictq import Client
from predictq.http import wire
from predictq.rows.columns import model_name, signature_of


@dataclass(frozen=True)
class Column:
    """One column: its name and type."""

    name: str
    type: str = "any"
    nullable: bool = True
    words: tuple[str, ...] = ()
    """Texts such as ``NA`` that are values in this column, not missing values."""
    categories: tuple[Any, ...] = ()
    unused: bool = False
    """Whether the column may be absent."""
    dtype: str = ""
    """The dtype it was trained with; empty if unknown."""


@dataclass(frozen=True)
class VersionInputs:
    """The columns of one version."""

    columns: tuple[Column, ...]
    named: bool


def inputs_of(client: Client, reference: str) -> VersionInputs | None:
    """Columns of ``name``, ``name@alias`` or ``name:version``; None if there is no such version."""
    model = client.model(model_name(reference))
    return wire.read(lambda: _takes(signature_of(model, reference)))


def _takes(signature: dict[str, Any] | None) -> VersionInputs | None:
    if signature is None:
        return None
    return VersionInputs(tuple(map(_column, signature["columns"])), signature["named"])


def _column(told: dict[str, Any]) -> Column:
    """Parse a column; the server leaves out defaults."""
    return Column(
        name=told["name"],
        type=told.get("type", "number"),
        nullable=told.get("nullable", False),
        words=tuple(told.get("words", ())),
        categories=tuple(told.get("categories") or ()),
        unused=told.get("unused", False),
        dtype=told.get("dtype", ""),
    )
