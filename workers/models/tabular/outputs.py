"""Converts the result of a model's method: to one entry per row, then to JSON values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tasks.wire import encode
from telemetry.errors import ModelError
from workers.models.tabular.columns import Array, object_array
from workers.models.tabular.infinities import spelled, spelled_array

Output = Array | list[Array]
"""An array with one entry per row, or a list of such arrays, one per output."""
_NUMBERS = (int, float, np.number)
_FLAGS = {bool, np.bool_}
MAX_DENSE_VALUES = 2**24
"""Most values that a sparse output may have once it is made dense."""


def to_output(output: Any, rows: int) -> Output:
    """Convert a method's result for ``rows`` rows to an `Output`.

    A tuple or list of arrays is taken as several outputs, such as those of ``kneighbors`` or of a
    classifier with several targets. Raises `ModelError` unless there is one entry per row.
    """
    if _is_several(output, rows):
        return [_single(each, rows) for each in output]
    return _single(output, rows)


def to_wire(output: Output) -> list[Any]:
    """Convert an output to one JSON value per row; NaN becomes None, an infinity its name.

    A row of several columns becomes a list; a row of several outputs becomes a list of lists.
    Raises `TypeError` or `ValueError` for values that JSON cannot express.
    """
    if isinstance(output, list):
        return [list(row) for row in zip(*map(to_wire, output), strict=True)]
    array = _nameable(output)
    rows: list[Any] = array.tolist()
    if array.dtype.kind not in "biuf":
        rows = _plain(rows)
        encode(rows)  # raises here, for this call alone, if JSON cannot express a value
    return rows


def first_row(output: Output) -> list[Any]:
    """The first row as `to_wire` gives it; raises as that, which shows whether JSON can say it."""
    return to_wire([each[:1] for each in output] if isinstance(output, list) else output[:1])


def joined_outputs(outputs: Sequence[Output]) -> Output:
    """Concatenate outputs of consecutive rows."""
    if isinstance(outputs[0], list):
        return [np.concatenate(pieces) for pieces in zip(*outputs, strict=True)]
    return np.concatenate(outputs)


def merge_outputs(outputs: Sequence[Output], positions: Sequence[Array]) -> Output:
    """Merge outputs into one that is ordered by the rows' positions, one array per output."""
    together, order = joined_outputs(outputs), np.argsort(np.concatenate(positions), kind="stable")
    return [each[order] for each in together] if isinstance(together, list) else together[order]


def _is_several(output: Any, rows: int) -> bool:
    """Whether a result has one entry per output rather than per row.

    A list of as many arrays as there are rows could be either. It is outputs only if each array has
    ``rows`` rows and more than one dimension, as the entry of a row never is a table.
    """
    if not isinstance(output, list | tuple) or not output:
        return False
    if not all(isinstance(each, np.ndarray) or hasattr(each, "toarray") for each in output):
        return False
    if isinstance(output, tuple) or len(output) != rows:
        return True
    return all(len(each.shape) > 1 and each.shape[0] == rows for each in output)


def _single(output: Any, rows: int) -> Array:
    array = _array(output)
    if not array.ndim:
        raise ModelError(f"the model gave {_described(output)}, expected one prediction a row")
    if len(array) != rows:
        raise ModelError(f"the model gave {len(array)} predictions for {rows} rows")
    return array


def _array(output: Any) -> Array:
    if hasattr(output, "toarray"):
        return _dense(output)
    if hasattr(output, "to_numpy"):  # a data frame, if the model has `set_output(...)`
        return output.to_numpy()
    if isinstance(output, list | tuple):
        return _array_of_list(output)
    return np.asarray(output)


def _array_of_list(output: Sequence[Any]) -> Array:
    """The array of a list; of objects unless its values are numbers of one kind.

    NumPy would make ``"1"`` of the 1 beside a text, ``"nan"`` of a missing value and 1.0 of a True,
    cut zeros off the end of texts, and give all texts the length of the longest.
    """
    try:
        found = np.array(output, dtype=object)
    except ValueError:  # rows of different lengths
        return object_array(output)
    kinds = set(map(type, found.flat))
    numbers = all(issubclass(kind, _NUMBERS) and kind is not bool for kind in kinds)
    return np.asarray(output) if numbers or kinds <= _FLAGS else found


def _dense(output: Any) -> Array:
    size = int(np.prod(output.shape))
    if size > MAX_DENSE_VALUES:
        raise ModelError(
            f"the model gave a sparse answer of {size:,} values; "
            f"at most {MAX_DENSE_VALUES:,} are sent: ask for fewer rows"
        )
    return output.toarray()


def _described(output: Any) -> str:
    return "None" if output is None else f"a value of type {type(output).__name__}"


def _nameable(array: Array) -> Array:
    if array.dtype.kind == "f":
        return spelled_array(array)
    if array.dtype.kind in "mM":  # `tolist` gives integers for nanoseconds
        return array.astype(f"{array.dtype.kind}8[us]")
    return array


def _plain(value: Any) -> Any:
    """Replace NumPy types by Python's, missing values by None, infinities by their names."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, tuple | dict):
        return _plain_entries(value)
    if isinstance(value, np.ndarray):
        return to_wire(value)
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, pd.Timestamp | pd.Timedelta) and value is not pd.NaT:
        return _standard_time(value)
    return None if value is pd.NA or value is pd.NaT else spelled(value)


def _plain_entries(value: tuple[Any, ...] | dict[Any, Any]) -> Any:
    if isinstance(value, dict):
        return {_plain(name): _plain(entry) for name, entry in value.items()}
    return [_plain(entry) for entry in value]


def _standard_time(value: pd.Timestamp | pd.Timedelta) -> Any:
    """A time of pandas as one of Python, which ends at microseconds as those of NumPy do here."""
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime(warn=False)
    return value.floor("us").to_pytimedelta()
