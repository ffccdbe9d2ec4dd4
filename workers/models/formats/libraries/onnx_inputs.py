"""Makes the inputs of an ONNX model from rows."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from telemetry.errors import ModelUnloadable

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": object,
}


def check_inputs(inputs: Sequence[Any]) -> None:
    """Raise `ModelUnloadable` for inputs that rows cannot fill."""
    for each in inputs:
        if each.type not in DTYPES:
            raise ModelUnloadable(f"the model takes a {each.type}, which is not a column")
        first = next(iter(each.shape), None)
        if isinstance(first, int) and first != 1:
            raise ModelUnloadable(
                f"input {each.name!r} takes exactly {first} rows; export the model with a dynamic "
                "first dimension"
            )
        if len(each.shape) > 2 and not all(isinstance(size, int) for size in each.shape[1:]):
            raise ModelUnloadable(
                f"input {each.name!r} has the shape {each.shape}; export the model with fixed "
                "sizes for all dimensions but the first"
            )
        if len(inputs) > 1 and width_of(each) not in (None, 1):
            raise ModelUnloadable(
                f"input {each.name!r} takes {width_of(each)} values of a row; if there are "
                "several inputs, each must take one: join them into one input, or register Python "
                "code that calls the model"
            )


def width_of(given: Any) -> int | None:
    """Values of a row that an input takes; None if any number."""
    sizes = given.shape[1:]
    return math.prod(sizes) if sizes and all(isinstance(size, int) for size in sizes) else None


def is_one_row(inputs: Sequence[Any]) -> bool:
    """Whether the model was exported for calls of one row."""
    return any(each.shape[:1] == [1] for each in inputs)


def tensor(wanted: Any, values: Any) -> Any:
    """Values in the dtype and the dimensions of an input, which the rows have as one vector.

    Raises `ValueError` for values that an input of whole numbers or booleans cannot hold.
    """
    array: Any = np.asarray(values)
    kind = DTYPES[wanted.type]
    with np.errstate(invalid="ignore"):
        found = array.astype(kind)
    if found.dtype.kind in "ib" and not np.array_equal(found, array):
        expected = "booleans" if kind is np.bool_ else f"numbers of {found.dtype}"
        raise ValueError(f"input {wanted.name!r} takes only {expected}")
    if len(wanted.shape) > 2:
        return found.reshape(len(found), *wanted.shape[1:])
    return found[:, None] if found.ndim == 1 and len(wanted.shape) == 2 else found
