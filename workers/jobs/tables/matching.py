"""Matches the columns of a file with those of the model, by name or position."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice

import msgspec

from registry.manifest import Signature
from tasks.jobs.files.dialect import Dialect
from telemetry.errors import Detail, InvalidInput

CUSTOM_ID = "custom_id"
"""Default id column, if the file has it."""
_MANY = 20
MAX_COPIED = 2**13
"""Most columns that are copied to the output: each takes some 10 KB, however few rows it has."""
MAX_COLUMNS = 2**17
MAX_NAMES_CHARS = 2**21
"""Most characters in the names of all columns."""


class Selection(msgspec.Struct, frozen=True):
    """The parts of a file to read."""

    signature: Signature
    """Signature of the model."""
    id_column: str | None = None
    """None means the column ``custom_id``, if there is one."""
    pass_through: bool = False
    """Whether all columns are copied to the output, or only the ids."""
    dialect: Dialect = Dialect()
    """Given parts of the dialect of a CSV file."""


class Wanted(msgspec.Struct, frozen=True):
    """Positions of columns in the file."""

    features: Sequence[int | None]
    """Index of each column in the file, in the signature's order; None for an unused one that the
    file lacks."""
    id: int | None
    carried: Sequence[int]
    """Columns that are copied to the output."""


def match(selection: Selection, names: Sequence[str]) -> Wanted:
    """Find the positions of the columns.

    Raises `InvalidInput` if a column is missing, if one that is read occurs twice, or if there are
    too many columns.
    """
    # Before anything is built of the names: a header can be a whole file.
    if len(names) > MAX_COLUMNS or sum(map(len, names)) > MAX_NAMES_CHARS:
        most = f"{MAX_COLUMNS} columns, and {MAX_NAMES_CHARS} letters in their names"
        raise InvalidInput(f"the file has too many columns or too long names; at most {most}")
    if selection.pass_through:
        _refuse_many_copies(names)
        refuse_double(names, names)
    # Reversed, so that of two columns with one name the first counts.
    indexes = {name: index for index, name in reversed([*enumerate(names)])}
    id_index = _id_index(names, indexes, selection.id_column)
    carried = [*range(len(names))] if selection.pass_through else [id_index]
    features = _features(selection.signature, names, indexes, id_index)
    return Wanted(features, id_index, [index for index in carried if index is not None])


def _refuse_many_copies(names: Sequence[str]) -> None:
    if len(names) > MAX_COPIED:
        raise InvalidInput(
            f"include_input copies at most {MAX_COPIED} columns, and the file has {len(names)}; "
            "leave it out, and join by id_column"
        )


def _features(
    signature: Signature, names: Sequence[str], indexes: dict[str, int], id_index: int | None
) -> Sequence[int | None]:
    if not signature.named:
        return _by_position(signature, names, id_index)
    wanted = [column.name for column in signature.columns]
    needed = [column.name for column in signature.columns if not column.unused]
    _refuse_missing([name for name in needed if name not in indexes], names)
    refuse_double(wanted, names)
    return [indexes.get(name) for name in wanted]


def _id_index(names: Sequence[str], indexes: dict[str, int], id_column: str | None) -> int | None:
    if id_column is None:
        return indexes.get(CUSTOM_ID)
    _refuse_missing([] if id_column in indexes else [id_column], names)
    refuse_double([id_column], names)
    return indexes[id_column]


def _by_position(signature: Signature, names: Sequence[str], id_index: int | None) -> Sequence[int]:
    indexes = [index for index in range(len(names)) if index != id_index]
    width = len(signature.columns)
    if len(indexes) != width:
        raise InvalidInput(
            f"the model has no column names and takes {width} columns by position, "
            f"the file has {len(indexes)}{'' if id_index is None else ' beside the ids'}"
        )
    return indexes


def _refuse_missing(missing: Sequence[str], names: Sequence[str]) -> None:
    if missing:
        details = [Detail((name,), f"the file has no column {name!r}") for name in missing[:_MANY]]
        message = f"the file has no column {_listed(missing)}; it has {_listed(names)}"
        raise InvalidInput(message, errors=details)


def refuse_double(wanted: Sequence[str], names: Sequence[str]) -> None:
    """Raise `InvalidInput` if a name in ``wanted`` occurs twice in the file."""
    counts = Counter(names)
    double = sorted(name for name in set(wanted) if counts[name] > 1)
    if double:
        raise InvalidInput(f"the file has more than one column {_listed(double)}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in islice(names, _MANY))
    return f"{shown} and {len(names) - _MANY} more" if len(names) > _MANY else shown
