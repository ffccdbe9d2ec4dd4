"""Tensors of a request to rows, and predictions to tensors of an answer."""

import json
import struct
from types import SimpleNamespace
from typing import Any

import pytest

from api.limits.json_limits import MAX_VALUES
from api.open_inference.tensors.datatypes import binary_form, binary_values, checked_values
from api.open_inference.tensors.outputs import output_tensor
from api.open_inference.tensors.reading import HEADER_LENGTH, Tensor, parse_inference
from api.open_inference.tensors.requests import OutputParameters, RequestedOutput
from api.open_inference.tensors.rows import rows_of
from registry.manifest import Column, Signature
from telemetry.errors import Invalid, Malformed, PredictqError, TooLarge

TWO = Signature((Column("a"), Column("b")), True, True, ("predict",))
UNNAMED = Signature((Column("x0"), Column("x1")), False, False, ("predict",))
TEXT = Signature((Column("text", "string"),), True, False, ("predict",), flat=True)
OPTIONAL = Signature((Column("a"), Column("b", unused=True)), True, True, ("predict",))


def parsed(inputs: Any, binary: bytes = b"", length: str | None = None) -> list[Tensor]:
    head = json.dumps({"inputs": inputs}).encode()
    headers = {HEADER_LENGTH: length or str(len(head))} if binary or length else {}
    request: Any = SimpleNamespace(headers=headers)
    return parse_inference(request, head + binary, 100)[1]


def tensor(shape: list[int], datatype: str = "FP64", **fields: Any) -> dict[str, Any]:
    return {"name": "t", "shape": shape, "datatype": datatype, **fields}


@pytest.mark.parametrize(
    ("datatype", "values"),
    [
        ("BOOL", [True, False]),
        *((f"INT{bits}", [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]) for bits in (8, 16, 32, 64)),
        *((f"UINT{bits}", [0, 2**bits - 1]) for bits in (8, 16, 32, 64)),
        *((f"FP{bits}", [0.5, -1024.0]) for bits in (16, 32, 64)),
        ("BYTES", ["", "Zürich"]),
    ],
)
def test_each_datatype_is_the_same_as_json_and_in_binary_form(
    datatype: Any, values: list[Any]
) -> None:
    raw = binary_form(datatype, values)
    (as_json,) = parsed([tensor([2], datatype, data=values)])
    (as_bytes,) = parsed([tensor([2], datatype, parameters={"binary_data_size": len(raw)})], raw)
    assert as_json.values == as_bytes.values == values
    assert [*map(type, as_bytes.values)] == [*map(type, values)]


def test_binary_form_is_little_endian_with_lengths_of_four_bytes() -> None:
    assert binary_form("INT32", [1]) == b"\x01\x00\x00\x00"
    assert binary_form("BYTES", ["ab", None]) == b"\x02\x00\x00\x00ab\x00\x00\x00\x00"


def test_values_in_json_have_the_digits_of_their_datatype() -> None:
    """An FP32 is the same number, whichever way it comes."""
    (nearest,) = struct.unpack("<f", struct.pack("<f", 0.1))
    assert checked_values("FP32", [0.1, None]) == [nearest, None]
    assert checked_values("FP64", [0.1]) == [0.1]


@pytest.mark.parametrize(
    ("datatype", "values", "told"),
    [
        ("INT8", [128], "beyond its range"),
        ("UINT8", [-1], "beyond its range"),
        ("FP16", [1e6], "beyond its range"),
        ("INT64", [1.5], "a whole number at 0, got the number 1.5"),
        ("INT64", [1, True], "a whole number at 1, got true"),
        ("FP64", ["1"], "a number at 0, got the string '1'"),
        ("BOOL", [1], "true or false at 0"),
        ("BYTES", [1], "a string at 0"),
        ("FP64", [[1]], "got a list of 1"),
    ],
)
def test_value_of_another_datatype_is_refused(datatype: Any, values: list[Any], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        checked_values(datatype, values)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"\x00\x00", "no length of 4 bytes"),
        (b"\x05\x00\x00\x00abc", "longer than its tensor"),
        (b"\x01\x00\x00\x00\xff", "not UTF-8"),
        (b"\x01\x00\x00\x00a", "expected 2 elements, got 1"),
        (b"\x00\x00\x00\x00" * 3, "expected 2 elements, got more"),
    ],
)
def test_broken_bytes_are_refused(raw: bytes, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        binary_values("BYTES", raw, 2)


@pytest.mark.parametrize(
    ("data", "shape"),
    [([1, 2, 3, 4], [2, 2]), ([[1, 2], [3, 4]], [2, 2]), ([[[1], [2]], [[3], [4]]], [2, 2, 1])],
)
def test_data_may_be_flat_or_nested(data: list[Any], shape: list[int]) -> None:
    assert parsed([tensor(shape, data=data)])[0].values == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("inputs", "binary", "error", "told"),
    [
        ([tensor([2, 2], data=[1, 2, 3])], b"", Invalid, "does not have the shape"),
        ([tensor([2, 2], data=[[1, 2], [3]])], b"", Invalid, "does not have the shape"),
        ([tensor([2, 2], data=[[1, 2], 3])], b"", Invalid, "does not have the shape"),
        ([tensor([1])], b"", Invalid, "either as the list"),
        ([tensor([1], data={})], b"", Invalid, "either as the list"),
        ([tensor([1], data=[1], parameters={"binary_data_size": 8})], b"8" * 8, Invalid, "either"),
        ([tensor([1], parameters={"binary_data_size": 8})], b"8" * 7, Invalid, "8 bytes behind"),
        ([tensor([1], parameters={"binary_data_size": 7})], b"8" * 7, Invalid, "8 bytes, not 7"),
        ([tensor([1], "FP8", data=[1])], b"", Invalid, "Invalid enum value 'FP8'"),
        ([tensor([], data=[])], b"", Invalid, "length >= 1"),
        ([tensor([-1], data=[])], b"", Invalid, ">= 0"),
        ([], b"", Invalid, "length >= 1"),
        ([tensor([MAX_VALUES]), tensor([1])], b"", TooLarge, "at most 2097152 values"),
        ([tensor([2**20] * 8)], b"", TooLarge, "at most 2097152 values"),
    ],
)
def test_tensor_that_is_not_what_it_says_is_refused(
    inputs: Any, binary: bytes, error: type[PredictqError], told: str
) -> None:
    with pytest.raises(error, match=told):
        parsed(inputs, binary)


@pytest.mark.parametrize("length", ["9999", "-1", "x", "²", "1" * 30])
def test_length_of_the_json_that_is_none_is_refused(length: str) -> None:
    with pytest.raises(Invalid, match=HEADER_LENGTH):
        parsed([tensor([1], data=[1])], length=length)


def test_length_of_the_json_that_cuts_it_is_refused() -> None:
    with pytest.raises(Malformed):
        parsed([tensor([1], data=[1])], length="5")


@pytest.mark.parametrize(
    ("said", "default", "binary"),
    [(None, True, True), (None, False, False), (True, False, True), (False, True, False)],
)
def test_output_says_whether_it_is_binary_or_the_request_does(
    said: bool | None, default: bool, binary: bool
) -> None:
    output = RequestedOutput("predict", OutputParameters(said))
    assert output.is_binary(otherwise=default) is binary


def column(name: str, values: list[Any], *more: int) -> Tensor:
    return Tensor(name, (len(values), *more), values)


@pytest.mark.parametrize(
    ("signature", "tensors", "rows"),
    [
        (TWO, [Tensor("any", (2, 2), [1, 2, 3, 4])], [[1, 2], [3, 4]]),
        (TWO, [Tensor("any", (2,), [1, 2])], [[1, 2]]),
        (UNNAMED, [Tensor("a", (1, 2), [1, 2])], [[1, 2]]),
        (TWO, [column("b", [2, 4]), column("a", [1, 3], 1)], [[1, 2], [3, 4]]),
        (TWO, [column("a", [1]), column("b", [2]), column("other", [9])], [[1, 2]]),
        (OPTIONAL, [column("a", [1, 2])], [[1, None], [2, None]]),
        (TEXT, [column("text", ["x", "y"])], [["x"], ["y"]]),
        (TEXT, [column("any", ["x", "y"], 1)], [["x"], ["y"]]),
    ],
    ids=["matrix", "one row", "unnamed", "columns", "more", "unused", "only column", "renamed"],
)
def test_tensors_become_rows(
    signature: Signature, tensors: list[Tensor], rows: list[list[Any]]
) -> None:
    assert rows_of(signature, tensors, 10) == rows


@pytest.mark.parametrize(
    ("signature", "tensors", "told"),
    [
        (TWO, [Tensor("any", (2, 3), [0] * 6)], r"shape \[2, 3\]; expected \[rows, 2\], or a"),
        (UNNAMED, [Tensor("any", (2, 3), [0] * 6)], r"expected \[rows, 2\]$"),
        (TWO, [Tensor("any", (0, 2), [])], "expected"),
        (UNNAMED, [column("x0", [1]), column("x1", [2])], "no column names"),
        (TWO, [column("a", [1]), column("c", [2])], "no tensor for the column 'b'; .* 'a', 'c'"),
        (TWO, [column("a", [1]), column("b", [2, 3])], "different numbers of rows"),
        (TWO, [column("a", [1]), column("a", [2])], "same name"),
        (TWO, [column("a", [1]), Tensor("b", (1, 2), [2, 3])], "'b' is a column"),
        (TWO, [column("a", []), column("b", [])], "'a' is a column"),
    ],
)
def test_tensors_that_are_no_rows_are_refused(
    signature: Signature, tensors: list[Tensor], told: str
) -> None:
    with pytest.raises(Invalid, match=told):
        rows_of(signature, tensors, 10)


@pytest.mark.parametrize(
    "tensors", [[Tensor("any", (11, 2), [0] * 22)], [column("a", [0] * 11), column("b", [0] * 11)]]
)
def test_too_many_rows_are_refused(tensors: list[Tensor]) -> None:
    with pytest.raises(TooLarge, match="at most 10 rows, this one has 11"):
        rows_of(TWO, tensors, 10)


@pytest.mark.parametrize(
    ("predictions", "datatype", "shape", "data"),
    [
        ([1, 0], "INT64", [2], [1, 0]),
        ([True, False], "BOOL", [2], [True, False]),
        ([1.5, 2], "FP64", [2], [1.5, 2]),
        ([1.5, None, "Infinity"], "FP64", [3], [1.5, None, "Infinity"]),
        (["Infinity", "-Infinity"], "FP64", [2], ["Infinity", "-Infinity"]),
        (["Infinity", "a"], "BYTES", [2], ["Infinity", "a"]),
        ([1.5, 10**400], "BYTES", [2], ["1.5", str(10**400)]),
        ([None, -(10**400)], "BYTES", [2], ["null", str(-(10**400))]),
        (["a", "b"], "BYTES", [2], ["a", "b"]),
        (["a", None], "BYTES", [2], ["a", None]),
        ([[0.5, 0.5], [1.0, 0.0]], "FP64", [2, 2], [0.5, 0.5, 1.0, 0.0]),
        ([[[1], [2]]], "INT64", [1, 2, 1], [1, 2]),
        ([[1], [2, 3]], "BYTES", [2], ["[1]", "[2,3]"]),
        ([1, "a"], "BYTES", [2], ["1", '"a"']),
        ([{"p": 1}], "BYTES", [1], ['{"p":1}']),
        ([2**70], "BYTES", [1], [str(2**70)]),
        ([True, None], "BYTES", [2], ["true", "null"]),
    ],
)
def test_predictions_become_a_tensor(
    predictions: list[Any], datatype: str, shape: list[int], data: list[Any]
) -> None:
    told = output_tensor("predict", predictions)
    assert (told.datatype, told.shape, told.data) == (datatype, shape, data)
    bare, raw = told.in_binary_form()
    assert (bare.parameters.binary_data_size, bare.data) == (len(raw), [])


def test_missing_and_infinite_numbers_have_a_binary_form() -> None:
    raw = output_tensor("predict", [None, "-Infinity", 1.0]).in_binary_form()[1]
    assert str(struct.unpack("<3d", raw)) == "(nan, -inf, 1.0)"
