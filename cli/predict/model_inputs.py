"""What a model takes, as the server tells it."""

from dataclasses import dataclass
from typing import Any

from predictq import Client
from predictq.http import wire
from predictq.rows.columns import name_of, signature_of


@dataclass(frozen=True)
class Column:
    """One column: its name, and what stands in it."""

    name: str
    type: str = "any"
    nullable: bool = True
    words: tuple[str, ...] = ()
    """Texts that read as missing elsewhere and are values here."""
    categories: tuple[Any, ...] = ()
    unused: bool = False
    """Whether it may be absent."""
    dtype: str = ""
    """What it was trained as; empty where nobody said it."""


@dataclass(frozen=True)
class Takes:
    """The columns of one version."""

    columns: tuple[Column, ...]
    named: bool


def takes(client: Client, reference: str) -> Takes | None:
    """What ``name``, ``name@alias`` or ``name:version`` takes; None where no version is that."""
    model = client.model(name_of(reference))
    return wire.read(lambda: _takes(signature_of(model, reference)))


def _takes(signature: dict[str, Any] | None) -> Takes | None:
    if signature is None:
        return None
    return Takes(tuple(map(_column, signature["columns"])), signature["named"])


def _column(told: dict[str, Any]) -> Column:
    """What is as usual, the server leaves out."""
    return Column(
        name=told["name"],
        type=told.get("type", "number"),
        nullable=told.get("nullable", False),
        words=tuple(told.get("words", ())),
        categories=tuple(told.get("categories") or ()),
        unused=told.get("unused", False),
        dtype=told.get("dtype", ""),
    )
