"""The tensors that a model says it takes and gives."""

from api.open_inference.tensors.describing import input_tensors, output_tensors
from registry.manifest import Column, Signature
from registry.readiness import GoldenRows

FRAME = Signature(
    (
        Column("age", dtype="int64"),
        Column("income", dtype="float32"),
        Column("n", dtype="UInt8"),
        Column("unknown", "any"),
        Column("member", "boolean", dtype="bool"),
        Column("city", "string", dtype="str"),
        Column("size", "category", dtype="category", categories=(1, 2)),
        Column("since", "datetime", dtype="datetime64[us]"),
        Column("id", "any", unused=True),
    ),
    True,
    True,
    ("predict", "predict_proba", "transform"),
    classes=("no", "yes"),
)


def test_inputs_of_a_frame_are_its_used_columns() -> None:
    found = {each.name: each.datatype for each in input_tensors(FRAME)}
    assert found == {
        "age": "INT64",
        "income": "FP32",
        "n": "UINT8",
        "unknown": "BYTES",
        "member": "BOOL",
        "city": "BYTES",
        "size": "INT64",
        "since": "BYTES",
    }
    assert {tuple(each.shape) for each in input_tensors(FRAME)} == {(-1, 1)}


def test_input_of_columns_without_names_is_one_tensor() -> None:
    signature = Signature((Column("x0"), Column("x1")), False, False, ("predict",))
    (only,) = input_tensors(signature)
    assert (only.name, only.datatype, only.shape) == ("features", "FP64", [-1, 2])


def test_outputs_are_the_methods() -> None:
    found = [(each.name, each.datatype, each.shape) for each in output_tensors(FRAME, None)]
    assert found == [
        ("predict", "BYTES", [-1]),
        ("predict_proba", "FP64", [-1, 2]),
        ("transform", "FP64", [-1, -1]),
    ]


def test_outputs_are_as_the_golden_rows_show_them() -> None:
    golden = GoldenRows([[1]], {"predict": [[1, 2]], "transform": [[0.5, 1.0, 2.0]]})
    found = {each.name: (each.datatype, each.shape) for each in output_tensors(FRAME, golden)}
    assert (found["predict"], found["transform"]) == (("INT64", [-1, 2]), ("FP64", [-1, 3]))
    assert found["predict_proba"] == ("FP64", [-1, 2])


def test_output_of_a_regressor_is_a_number() -> None:
    signature = Signature((Column("x0"),), False, False, ("predict",), outputs=2)
    (only,) = output_tensors(signature, None)
    assert (only.datatype, only.shape) == ("FP64", [-1, 2])
