"""Which columns of a file the model takes, by name or by position."""

from collections.abc import Sequence
from itertools import islice

import msgspec

from registry.manifest import Signature
from telemetry.errors import Detail, InvalidInput

CUSTOM_ID = "custom_id"
"""The id column of a file whose job names none, if the file has it."""
_MANY = 20


class Wanted(msgspec.Struct, frozen=True):
    """Positions of columns in the file."""

    features: tuple[int, ...]
    """In the order of the signature."""
    id: int | None


def match(
    signature: Signature, names: Sequence[str], id_column: str | None, *, pass_through: bool
) -> Wanted:
    """Find the model's columns.

    Raises `InvalidInput` where one is missing, or one that is read is there twice.
    """
    if pass_through:
        _refuse_double(names, names)
    places = {name: place for place, name in reversed([*enumerate(names)])}
    id_place = _id_place(names, places, id_column)
    if not signature.named:
        return Wanted(_by_position(signature, names, id_place), id_place)
    wanted = [column.name for column in signature.columns]
    _refuse_missing([name for name in wanted if name not in places], names)
    _refuse_double(wanted, names)
    return Wanted(tuple(places[name] for name in wanted), id_place)


def _id_place(names: Sequence[str], places: dict[str, int], id_column: str | None) -> int | None:
    if id_column is None:
        return places.get(CUSTOM_ID)
    _refuse_missing([] if id_column in places else [id_column], names)
    _refuse_double([id_column], names)
    return places[id_column]


def _by_position(
    signature: Signature, names: Sequence[str], id_place: int | None
) -> tuple[int, ...]:
    places = tuple(place for place in range(len(names)) if place != id_place)
    width = len(signature.columns)
    if len(places) != width:
        raise InvalidInput(
            f"the model has no column names and takes {width} columns by position, "
            f"the file has {len(places)}{'' if id_place is None else ' beside the ids'}"
        )
    return places


def _refuse_missing(missing: Sequence[str], names: Sequence[str]) -> None:
    if missing:
        details = [Detail((name,), f"the file has no column {name!r}") for name in missing[:_MANY]]
        message = f"the file has no column {_listed(missing)}; it has {_listed(names)}"
        raise InvalidInput(message, errors=details)


def _refuse_double(wanted: Sequence[str], names: Sequence[str]) -> None:
    if len(set(names)) == len(names):
        return
    double = {name for name in names if names.count(name) > 1}.intersection(wanted)
    if double:
        raise InvalidInput(f"the file has more than one column {_listed(sorted(double))}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in islice(names, _MANY))
    return f"{shown} and {len(names) - _MANY} more" if len(names) > _MANY else shown
