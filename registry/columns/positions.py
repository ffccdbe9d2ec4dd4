"""Finds the columns of a model among those of a table."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from registry.manifest import Signature
from registry.rows.diagnosis import refuse, strange_names
from telemetry.errors import Detail


def column_positions(signature: Signature, names: Sequence[str]) -> list[int | None]:
    """The position of each column of a model, in the signature's order.

    They are found by name; if the model has no column names, by position. Other columns of the
    table are ignored, as other keys of JSON objects are. None for an unused column that is not
    there. Raises `InvalidFeatures` if a column is missing, or a name is there twice.
    """
    if not signature.named:
        return _by_position(len(signature.columns), len(names))
    positions = {name: position for position, name in enumerate(names)}
    refuse(_missing(signature, names, positions))
    if len(positions) < len(names):
        refuse(_double(signature, names))
    return [positions.get(column.name) for column in signature.columns]


def _by_position(expected: int, given: int) -> list[int | None]:
    if given != expected:
        refuse([Detail((), f"the table has {given} columns, expected {expected}")])
    return list(range(expected))


def _missing(
    signature: Signature, names: Sequence[str], known: Collection[str]
) -> Iterator[Detail]:
    missing = [c.name for c in signature.columns if not c.unused and c.name not in known]
    instead = strange_names(signature, names) if missing else ""
    yield from (Detail((name,), f"column {name!r} is missing{instead}") for name in missing)


def _double(signature: Signature, names: Sequence[str]) -> Iterator[Detail]:
    counts = Counter(names)
    for column in signature.columns:
        if counts[column.name] > 1:
            yield Detail((column.name,), f"the table has column {column.name!r} twice")
