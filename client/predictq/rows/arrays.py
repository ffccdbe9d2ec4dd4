"""Converts NumPy arrays and SciPy matrices to lists of Python values."""

from collections.abc import Iterator
from typing import Any

from predictq.errors import refused
from predictq.rows.times import durations_of, moments_of

MAX_CELLS = 10_000_000
"""Largest number of cells of a sparse matrix that is made dense at once."""
DOUBLE_BYTES = 8
"""Bytes of a double."""


def has_attributes(value: Any, *names: str) -> bool:
    """Whether the type of a value has all of these attributes.

    The type is asked because a pandas series has its labels as attributes.
    """
    return all(hasattr(type(value), name) for name in names)


def is_array(value: Any) -> bool:
    """Whether it is a NumPy array, masked array or scalar."""
    return has_attributes(value, "__array_interface__", "tolist")


def is_plain(array: Any) -> bool:
    """Whether an array has only numbers or booleans, and no missing values."""
    if has_attributes(array, "mask") or array.dtype.kind not in "biuf":
        return False
    return array.dtype.kind != "f" or not (array != array).any()  # only NaN differs from itself


def to_lists(array: Any) -> Any:
    """Convert an array to lists, and a scalar to a value; records become dicts."""
    if array.dtype.names:
        return _records(array)
    kind = array.dtype.kind
    if kind == "M":
        return moments_of(array)
    if kind == "m":
        return durations_of(array)
    if kind == "f" and array.dtype.itemsize > DOUBLE_BYTES:
        return array.astype(float).tolist()
    return array.tolist()


def _records(array: Any) -> Any:
    names = array.dtype.names
    if not array.shape:
        return {name: to_lists(array[name]) if is_array(array[name]) else None for name in names}
    flat = array.reshape(-1)
    fields = [to_lists(flat[name]) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*fields, strict=True)]


def is_sparse(value: Any) -> bool:
    """Whether it is a SciPy sparse matrix."""
    return has_attributes(value, "toarray", "tocsr")


def dense(matrix: Any) -> Any:
    """Convert a sparse matrix to rows; raises `InvalidRequest` beyond `MAX_CELLS`."""
    rows, width = (1, *matrix.shape)[-2:]
    if rows * width > MAX_CELLS:
        told = f"a sparse matrix of {rows} x {width} cells is too large to be sent at once"
        raise refused(f"{told}; send it in pieces, or as a batch job")
    return matrix.toarray().tolist()


def dense_rows(matrix: Any) -> Iterator[Any]:
    """Yield the rows of a sparse matrix of any size, made dense in pieces."""
    rows, width = (1, *matrix.shape)[-2:]
    by_rows, step = matrix.tocsr(), max(1, MAX_CELLS // max(1, width))
    for start in range(0, rows, step):
        yield from by_rows[start : start + step].toarray().tolist()
