"""The tensors of a version: its inputs from the signature, its outputs from the golden rows."""

import re

import msgspec

from api.open_inference.tensors.outputs import output_tensor
from registry.manifest import Column, Signature
from registry.readiness import GoldenRows

VARIABLE = -1
"""A dimension of any size."""
MATRIX = "features"
"""Name of the tensor of a model without column names; any other name will do."""
_NUMERIC = re.compile(r"(u?int|float)(8|16|32|64)", re.ASCII)
_PREFIXES = {"int": "INT", "uint": "UINT", "float": "FP"}
_TYPES = {"number": "FP64", "boolean": "BOOL"}


class TensorMetadata(msgspec.Struct, frozen=True):
    """A tensor as a request or an answer may have it."""

    name: str
    datatype: str
    shape: list[int]
    """`-1` for a dimension of any size."""


def input_tensors(signature: Signature) -> list[TensorMetadata]:
    """A tensor for each column that the model uses; or one for all, if they have no names."""
    columns = signature.columns
    if signature.named:
        used = (column for column in columns if not column.unused)
        return [TensorMetadata(each.name, _datatype(each), [VARIABLE, 1]) for each in used]
    kinds = {_datatype(column) for column in columns}
    datatype = kinds.pop() if len(kinds) == 1 else "FP64"
    return [TensorMetadata(MATRIX, datatype, [VARIABLE, len(columns)])]


def output_tensors(signature: Signature, golden: GoldenRows | None) -> list[TensorMetadata]:
    """A tensor for each method."""
    answers = golden.answers if golden else {}
    return [_output(signature, method, answers.get(method, ())) for method in signature.methods]


def _datatype(column: Column) -> str:
    if found := _NUMERIC.fullmatch(column.dtype.lower()):
        return _PREFIXES[found[1]] + found[2]
    if column.type == "category":
        return output_tensor("", [*(column.categories or ("",))]).datatype
    return _TYPES.get(column.type, "BYTES")


def _output(signature: Signature, method: str, answers: list[object] | tuple[()]) -> TensorMetadata:
    """Describe an output by the golden rows, or without them by scikit-learn's methods."""
    if answers:
        known = output_tensor(method, [*answers])
        return TensorMetadata(method, known.datatype, [VARIABLE, *known.shape[1:]])
    classes = signature.classes
    if method == "predict":
        width = [signature.outputs] if signature.outputs > 1 else []
        known = output_tensor(method, [*(classes or (0.0,))])
        return TensorMetadata(method, known.datatype, [VARIABLE, *width])
    if method.startswith("predict_") and classes and signature.outputs == 1:
        return TensorMetadata(method, "FP64", [VARIABLE, len(classes)])
    return TensorMetadata(method, "FP64", [VARIABLE, VARIABLE])
