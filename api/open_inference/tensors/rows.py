"""Tensors to rows in the order of a model's columns."""

import math
from typing import Any, NoReturn

from api.open_inference.tensors.reading import Tensor
from registry.manifest import Column, Signature
from telemetry.errors import Detail, Invalid, TooLarge


def rows_of(signature: Signature, tensors: list[Tensor], max_rows: int) -> list[list[Any]]:
    """The rows, whose values are not checked yet.

    ``tensors``: one for each column, by name, or a single one of the shape [rows, columns]. Raises
    `Invalid`, or `TooLarge` for more than ``max_rows`` rows.
    """
    names = {column.name for column in signature.columns} if signature.named else set()
    is_matrix = len(tensors) == 1 and (tensors[0].name not in names or len(names) == 1)
    if not is_matrix and not signature.named:
        _refuse("the model has no column names: send one tensor of the shape [rows, columns]")
    rows, width = _matrix_shape(signature, tensors[0]) if is_matrix else (_height(tensors), 1)
    if rows > max_rows:
        raise TooLarge(f"a request may have at most {max_rows} rows, this one has {rows}")
    if is_matrix:
        values = tensors[0].values
        return [values[start : start + width] for start in range(0, rows * width, width)]
    return [*map(list, zip(*_columns(signature, tensors, rows), strict=True))]


def _matrix_shape(signature: Signature, tensor: Tensor) -> tuple[int, int]:
    """Rows and columns of a single tensor; one dimension is a row, or the only column."""
    width, shape = len(signature.columns), tensor.shape
    if len(shape) == 1 and width == 1:
        return shape[0], 1
    if shape == (width,):
        return 1, width
    if len(shape) != 2 or shape[1] != width or not shape[0]:
        _refuse(
            f"tensor {tensor.name[:100]!r} has the shape {[*shape]}; expected [rows, {width}]"
            + _or_columns(signature)
        )
    return shape[0], width


def _or_columns(signature: Signature) -> str:
    return ", or a tensor for each column, by its name" if signature.named else ""


def _height(tensors: list[Tensor]) -> int:
    """Rows of tensors of one column each."""
    for each in tensors:
        if math.prod(each.shape) != each.shape[0] or not each.shape[0]:
            _refuse(f"tensor {each.name[:100]!r} is a column, so its shape is [rows] or [rows, 1]")
    heights = {each.shape[0] for each in tensors}
    if len(heights) > 1:
        _refuse(f"the tensors have different numbers of rows: {sorted(heights)[:5]}")
    return heights.pop()


def _columns(signature: Signature, tensors: list[Tensor], rows: int) -> list[list[Any]]:
    given = {each.name: each.values for each in tensors}
    if len(given) < len(tensors):
        _refuse("two tensors have the same name")
    return [
        given[column.name] if column.name in given else _absent(column, given, rows)
        for column in signature.columns
    ]


def _absent(column: Column, given: dict[str, list[Any]], rows: int) -> list[Any]:
    if not column.unused:
        told = ", ".join(repr(name[:100]) for name in [*given][:3])
        _refuse(f"there is no tensor for the column {column.name!r}; the request has {told}")
    return [None] * rows


def _refuse(message: str) -> NoReturn:
    raise Invalid(message, errors=[Detail(("inputs",), message)])
