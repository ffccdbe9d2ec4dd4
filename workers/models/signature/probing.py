"""Finds what a model takes by trying rows, for registration without a sample."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import islice, product
from typing import Any

import msgspec
import pandas as pd
from msgspec.structs import replace

from registry.manifest import Column, Kind, Signature
from workers.models.signature import knowledge
from workers.models.signature.knowledge import Known
from workers.models.signature.methods import method_candidates
from workers.models.signature.model_calls import Row, model_refusal, model_takes, tolerant
from workers.models.signature.names import Names, takes_text
from workers.models.signature.wire import wire_value
from workers.models.tabular.table import Input, Table

_NUMBERS: tuple[tuple[Kind, Any], ...] = (("number", 0.0), ("number", 1.0))
"""Two values, as 0 is not in the domain of a logarithm."""
_OTHERS: tuple[tuple[Kind, Any], ...] = (
    ("string", "some text"),
    ("datetime", "2024-02-29T12:00:00"),
    ("boolean", True),
)
_STRANGERS: tuple[tuple[Any, tuple[Kind, ...]], ...] = (
    ("some text", ("number", "boolean", "datetime")),
    (1.0, ("string", "boolean", "datetime")),
    ("2024-02-29T12:00:00", ("number", "boolean")),
)
"""Values, each with the kinds of columns that never hold one."""
_MAX_TRIES = 500
"""Most rows that are tried."""
_KINDS: dict[type, Kind] = {
    int: "number",
    float: "number",
    str: "string",
    bool: "boolean",
    pd.Timestamp: "datetime",
    pd.Timedelta: "duration",
    date: "date",
    Decimal: "decimal",
}


class Guess(msgspec.Struct, frozen=True):
    """A possible description of a column, with a value to try."""

    column: Column
    value: Any
    sure: bool = False
    """Whether the description comes from a step of the model."""


class Probed(msgspec.Struct, frozen=True):
    """The result of probing."""

    columns: tuple[Column, ...]
    row: Row | None
    """A wire row that the model takes; None if it took none, then all columns take anything."""
    given: Input
    flat: bool
    methods: list[str]


def probe(model: Any, names: Names) -> Probed:
    """Try rows made of what the model's steps know, and of each kind of value for other columns."""
    methods = method_candidates(model)
    flat = not names.fixed and len(names.names) == 1 and takes_text(model)
    blank = Signature((), names.named, names.framed, tuple(methods[:1]), flat=flat)
    for guesses in islice(_rows(model, names), _MAX_TRIES):
        signature = replace(blank, columns=tuple(guess.column for guess in guesses))
        row = [guess.value for guess in guesses]
        if model_takes(model, signature, row):
            given = Table.of(signature, [row]).whole()
            columns = _widened(model, signature, row, guesses)
            return Probed(columns, row, given, flat, methods)
    return Probed(tuple(_anything(name) for name in names.names), None, None, flat, methods)


def _rows(model: Any, names: Names) -> Iterator[list[Guess]]:
    """Yield rows to try, likeliest first.

    First all unknown columns have values of one kind. Then the columns of each step have a kind
    that the step takes by itself, in all combinations.
    """
    options = _options(model, names)
    for index in range(max(map(len, options))):
        yield [found[min(index, len(found) - 1)] for found in options]
    fitting = [
        _fitting(group, options, names) for group in knowledge.groups(model, len(names.names))
    ]
    for choice in product(*filter(None, fitting)):
        row = [found[0] for found in options]
        for guesses in choice:
            for index, guess in guesses.items():
                row[index] = guess
        yield row


def _options(model: Any, names: Names) -> list[list[Guess]]:
    """Guesses to try for each column."""
    width = len(names.names)
    known = knowledge.known(model, width)
    used = knowledge.used(model, width) if names.framed else set(range(width))
    return [
        _of_column(name, [step for step in known if step.position == index])
        if index in used
        else [
            Guess(Column(name, "any", nullable=True, infinite=True, unused=True), None, sure=True)
        ]
        for index, name in enumerate(names.names)
    ]


def _of_column(name: str, known: Sequence[Known]) -> list[Guess]:
    null = next((step.null for step in known if step.null), None) or "nan"
    for step in known:
        if step.values:
            return [_of_values(name, step, null)]
    uses = {step.use for step in known} - {"any"}
    tried = [*_NUMBERS, *_OTHERS]
    if uses:
        tried = [(kind, value) for kind, value in tried if kind in uses]
    return [Guess(Column(name, kind, null=null), value, bool(uses)) for kind, value in tried]


def _of_values(name: str, step: Known, null: Any) -> Guess:
    """A column whose values an encoder or a booster knows."""
    values = step.values or ()
    kinds = {_KINDS.get(type(value), "any") for value in values}
    kind: Kind = kinds.pop() if len(kinds) == 1 else "any"
    column = Column(
        name,
        "category" if step.categories else kind,
        nullable=step.null is not None,
        dtype=_dtype_of(kind, step),
        null=null,
        categories=tuple(map(wire_value, values)),
    )
    return Guess(column, wire_value(values[0]), sure=True)


def _dtype_of(kind: Kind, step: Known) -> str:
    """The dtype that the encoder saw; empty for zeros and ones, which may have been booleans."""
    if step.categories:
        return "category"
    if kind == "number" and set(step.values or ()) <= {0, 1}:
        return ""
    return step.dtype or ("object" if kind == "any" else "")


def _fitting(
    group: knowledge.Group, options: Sequence[Sequence[Guess]], names: Names
) -> list[dict[int, Guess]]:
    """Choices, by position, that a step takes by itself; its columns are all of one kind."""
    indices = list(dict.fromkeys(group.positions))
    method = next((m for m in ("transform", "predict") if hasattr(group.step, m)), None)
    if method is None or not indices:
        return []
    longest = max(len(options[index]) for index in indices)
    choices = (
        {index: options[index][min(n, len(options[index]) - 1)] for index in indices}
        for n in range(longest)
    )
    return [choice for choice in choices if _takes_alone(group.step, method, choice, names)]


def _takes_alone(step: Any, method: str, choice: dict[int, Guess], names: Names) -> bool:
    columns = tuple(guess.column for guess in choice.values())
    signature = Signature(columns, names.named, names.framed, (method,))
    try:
        table = Table.of(signature, [[guess.value for guess in choice.values()]])
    except (ValueError, TypeError):
        return False
    return model_refusal(step, table.whole(), 1, method) is None


def _widened(
    model: Any, signature: Signature, row: Row, guesses: Sequence[Guess]
) -> tuple[Column, ...]:
    """Let unsure columns take anything if the model also takes values of another kind in them.

    A model refuses text where it computes, so a column that takes text is not computed with.
    """
    doubtful = {n for n, guess in enumerate(guesses) if not guess.sure}
    if not doubtful or not signature.frame:
        return signature.columns
    anything = {
        n
        for stranger, kinds in _STRANGERS
        if (indices := {n for n in doubtful if guesses[n].column.type in kinds})
        for n in tolerant(model, signature, row, stranger) & indices
    }
    return tuple(
        _anything(column.name) if n in anything else column
        for n, column in enumerate(signature.columns)
    )


def _anything(name: str) -> Column:
    return Column(name, "any", nullable=True, infinite=True)
