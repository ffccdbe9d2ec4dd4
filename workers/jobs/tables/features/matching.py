"""Which columns of a file the model takes, by name or by position."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice

import msgspec

from registry.manifest import Signature
from tasks.jobs.files.dialect import Dialect
from telemetry.errors import Detail, InvalidInput

CUSTOM_ID = "custom_id"
"""The id column of a file whose job names none, if the file has it."""
_MANY = 20
MOST_COLUMNS = 2**17
MOST_LETTERS = 2**21
"""Of the names of all columns."""


class Selection(msgspec.Struct, frozen=True):
    """What of a file is read."""

    signature: Signature
    """Of the model that takes it."""
    id_column: str | None = None
    """Without, the column ``custom_id`` is it, where there is one."""
    pass_through: bool = False
    """Whether all columns go into the output, or the ids alone."""
    dialect: Dialect = Dialect()
    """What is said of it if it is CSV."""


class Wanted(msgspec.Struct, frozen=True):
    """Positions of columns in the file."""

    features: Sequence[int | None]
    """In the order of the signature; None for a column that is not there and not needed."""
    id: int | None
    carried: Sequence[int]
    """What goes into the output."""


def match(selection: Selection, names: Sequence[str]) -> Wanted:
    """Find the columns.

    Raises `InvalidInput` where one is missing, or one that is read is there twice, or where there
    are too many of them.
    """
    if len(names) > MOST_COLUMNS or sum(map(len, names)) > MOST_LETTERS:
        most = f"{MOST_COLUMNS} columns, and {MOST_LETTERS} letters in their names"
        raise InvalidInput(f"the file has too many or too long columns: {most}, are the most")
    if selection.pass_through:
        refuse_double(names, names)
    places = {name: place for place, name in reversed([*enumerate(names)])}
    id_place = _id_place(names, places, selection.id_column)
    carried = [*range(len(names))] if selection.pass_through else [id_place]
    features = _features(selection.signature, names, places, id_place)
    return Wanted(features, id_place, [place for place in carried if place is not None])


def _features(
    signature: Signature, names: Sequence[str], places: dict[str, int], id_place: int | None
) -> Sequence[int | None]:
    if not signature.named:
        return _by_position(signature, names, id_place)
    wanted = [column.name for column in signature.columns]
    needed = [column.name for column in signature.columns if not column.unused]
    _refuse_missing([name for name in needed if name not in places], names)
    refuse_double(wanted, names)
    return [places.get(name) for name in wanted]


def _id_place(names: Sequence[str], places: dict[str, int], id_column: str | None) -> int | None:
    if id_column is None:
        return places.get(CUSTOM_ID)
    _refuse_missing([] if id_column in places else [id_column], names)
    refuse_double([id_column], names)
    return places[id_column]


def _by_position(signature: Signature, names: Sequence[str], id_place: int | None) -> Sequence[int]:
    places = [place for place in range(len(names)) if place != id_place]
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


def refuse_double(wanted: Sequence[str], names: Sequence[str]) -> None:
    """Raise `InvalidInput` where one that is wanted is there twice."""
    counts = Counter(names)
    double = sorted(name for name in set(wanted) if counts[name] > 1)
    if double:
        raise InvalidInput(f"the file has more than one column {_listed(double)}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in islice(names, _MANY))
    return f"{shown} and {len(names) - _MANY} more" if len(names) > _MANY else shown
