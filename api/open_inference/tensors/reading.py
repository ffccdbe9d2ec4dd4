"""Reads an inference: JSON, and behind it the tensors in binary form."""

import math
from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

from flask import Request

from api.http.conversion import converted
from api.limits.json_limits import MAX_VALUES, refuse_many_containers, refuse_many_values
from api.open_inference.tensors.datatypes import binary_values, checked_values
from api.open_inference.tensors.requests import InferenceRequest, InputTensor
from tasks.wire import decode
from telemetry.errors import Detail, Invalid, TooLarge

HEADER_LENGTH = "Inference-Header-Content-Length"
"""Header field with the bytes of JSON in front of tensors in binary form."""
TENSOR_TYPES = ("application/json", "application/octet-stream", "")
"""Content types of an inference. Triton's client sends none."""


class Tensor(NamedTuple):
    """A tensor whose values are read."""

    name: str
    shape: tuple[int, ...]
    values: list[Any]
    """Values in row-major order."""


def parse_inference(
    request: Request, body: bytes, max_rows: int
) -> tuple[InferenceRequest, list[Tensor]]:
    """The request and its tensors; raises `Malformed`, `Invalid` or `TooLarge`."""
    length = _header_length(request, len(body))
    head = body[:length]
    refuse_many_containers(head, max_rows)
    refuse_many_values(head)
    asked = converted(decode(head), InferenceRequest)
    return asked, [*_tensors(asked.inputs, body[length:])]


def _header_length(request: Request, most: int) -> int:
    given = request.headers.get(HEADER_LENGTH)
    if given is None:
        return most
    if not (given.isascii() and given.isdigit() and len(given) < 20 and int(given) <= most):
        raise Invalid(f"{HEADER_LENGTH} is the bytes of JSON in the body, which has {most} bytes")
    return int(given)


def _tensors(inputs: list[InputTensor], binary: bytes) -> Iterator[Tensor]:
    announced = sum(each.parameters.binary_data_size or 0 for each in inputs)
    if announced != len(binary):
        raise Invalid(f"the tensors have {announced} bytes behind the JSON, not {len(binary)}")
    if sum(math.prod(each.shape) for each in inputs) > MAX_VALUES:
        raise TooLarge(f"a request may have at most {MAX_VALUES} values; send several requests")
    start = 0
    for position, each in enumerate(inputs):
        end = start + (each.parameters.binary_data_size or 0)
        try:
            yield Tensor(each.name, tuple(each.shape), _values(each, binary[start:end]))
        except Invalid as error:
            message = f"tensor {each.name[:100]!r}: {error.message}"
            raise Invalid(message, errors=[Detail(("inputs", position), message)]) from error
        start = end


def _values(tensor: InputTensor, raw: bytes) -> list[Any]:
    is_binary = tensor.parameters.binary_data_size is not None
    if isinstance(tensor.data, list) == is_binary:
        raise Invalid("a tensor has its values either as the list `data`, or in binary form")
    if not isinstance(tensor.data, list):
        return binary_values(tensor.datatype, raw, math.prod(tensor.shape))
    values = _flattened(tensor.data, tensor.shape)
    if values is None:
        raise Invalid(f"the data does not have the shape {tensor.shape}")
    return checked_values(tensor.datatype, values)


def _flattened(data: list[Any], shape: list[int]) -> list[Any] | None:
    """Data in row-major order, flat or nested; None if it has another shape."""
    if len(data) == math.prod(shape) and list not in map(type, data):
        return data
    found = [data]
    for size in shape:
        if not all(type(each) is list and len(each) == size for each in found):
            return None
        found = [*chain.from_iterable(found)]
    return found
