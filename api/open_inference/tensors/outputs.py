"""Predictions to tensors of an answer."""

import sys
from collections.abc import Iterable
from itertools import chain
from typing import Any

import msgspec

from api.open_inference.tensors.datatypes import binary_form
from api.open_inference.tensors.requests import Datatype, TensorParameters
from tasks.wire import encode

_INFINITIES = frozenset({"Infinity", "-Infinity"})
_INT64 = range(-(2**63), 2**63)


class OutputTensor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One output."""

    name: str
    """The method that gave it."""
    shape: list[int]
    datatype: Datatype
    parameters: TensorParameters = TensorParameters()
    data: list[Any] = []
    """Values in row-major order; none if they come behind the JSON. Null is a missing value."""

    def in_binary_form(self) -> tuple["OutputTensor", bytes]:
        """The tensor without its values, and its values."""
        raw = binary_form(self.datatype, self.data)
        told = TensorParameters(binary_data_size=len(raw))
        return msgspec.structs.replace(self, parameters=told, data=[]), raw


def output_tensor(name: str, predictions: list[Any]) -> OutputTensor:
    """The tensor of one prediction for each row.

    Predictions that are no tensor, such as objects, are BYTES with the JSON of each.
    """
    shape, values = _flat(predictions)
    datatype = _datatype(values)
    if datatype is None:
        shape, datatype = [len(predictions)], "BYTES"
        values = [encode(each).decode() for each in predictions]
    return OutputTensor(name=name, shape=shape, datatype=datatype, data=values)


def _flat(predictions: list[Any]) -> tuple[list[int], list[Any]]:
    """Shape and values of nested lists, as deep as all lists are equally long."""
    shape, values = [len(predictions)], predictions
    while values and set(map(type, values)) == {list} and len({*map(len, values)}) == 1:
        shape.append(len(values[0]))
        values = [*chain.from_iterable(values)]
    return shape, values


def _datatype(values: Iterable[Any]) -> Datatype | None:
    """The datatype of values as JSON has them; None if they have none in common."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {bool}:
        return None if None in values else "BOOL"
    if kinds == {int} and None not in values:
        return "INT64" if all(value in _INT64 for value in values) else None
    if kinds <= {int, float, str} and all(map(_is_number, values)):
        return "FP64"
    return "BYTES" if kinds == {str} else None


def _is_number(value: Any) -> bool:
    """Whether a value of an answer is a number that a double can be, or a missing one."""
    if type(value) is str:
        return value in _INFINITIES
    return type(value) is not int or abs(value) <= sys.float_info.max
