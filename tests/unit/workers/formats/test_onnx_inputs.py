"""Inputs of ONNX files: fixed numbers of rows, dimensions of images, whole numbers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from telemetry.errors import ModelUnloadable
from workers.models.artifacts import open_artifact
from workers.models.registration import examine

pytestmark = pytest.mark.usefixtures("without_trial")
FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64
Shape = Sequence[int | str]
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def saved(node: Any, output: Any, **inputs: tuple[int, Shape]) -> Path:
        given = [helper.make_tensor_value_info(name, *what) for name, what in inputs.items()]
        graph = helper.make_graph([node], "graph", given, [output])
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
        return tmp_path / "m.onnx"

    return saved


def _doubled(save: Save, kind: int, shape: Shape) -> Path:
    output = helper.make_tensor_value_info("y", kind, shape)
    return save(helper.make_node("Add", ["x", "x"], ["y"]), output, x=(kind, shape))


def test_model_of_one_row_is_called_for_each_row(save: Save) -> None:
    found = examine(_doubled(save, FLOAT, [1, 3]))
    rows = np.arange(12.0).reshape(4, 3)
    assert np.array_equal(found.model.predict(rows), rows * 2)
    assert len(found.description.signature.columns) == 3


def test_dimensions_of_an_image_are_one_row_of_values(save: Save) -> None:
    output = helper.make_tensor_value_info("y", FLOAT, ["n"])
    node = helper.make_node("ReduceMean", ["x"], ["y"], axes=[1, 2, 3], keepdims=0)
    found = examine(save(node, output, x=(FLOAT, ["n", 2, 3, 4])))
    rows = np.random.default_rng(0).integers(0, 9, (5, 24)).astype(np.float32)
    assert found.model.predict(rows) == pytest.approx(rows.mean(axis=1))
    assert len(found.description.signature.columns) == 24
    assert found.inspected.example is not None


@pytest.mark.parametrize("value", [np.nan, 1.5, 2.0**70, np.inf])
def test_input_of_whole_numbers_takes_no_others(save: Save, value: float) -> None:
    found = examine(_doubled(save, INT, ["n", 1]))
    assert found.model.predict(np.array([[3.0]])).tolist() == [6]
    (column,) = found.description.signature.columns
    assert (column.nullable, column.infinite) == (False, False)
    with pytest.raises(ValueError, match="input 'x' takes only numbers of int64"):
        found.model.predict(np.array([[value]]))


def test_input_of_booleans_takes_no_missing_value(save: Save) -> None:
    output = helper.make_tensor_value_info("y", TensorProto.BOOL, ["n", 1])
    node = helper.make_node("Not", ["x"], ["y"])
    model = open_artifact(save(node, output, x=(TensorProto.BOOL, ["n", 1])), trust=False).estimator
    assert model.predict(np.array([[True], [False]], dtype=object)).tolist() == [False, True]
    with pytest.raises(ValueError, match="takes only booleans"):
        model.predict(np.array([[np.nan]]))


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"x": (FLOAT, [8, 3])}, "input 'x' takes exactly 8 rows; export the model with a dynamic"),
        ({"x": (FLOAT, ["n", "s", 3])}, "export the model with fixed sizes for all dimensions"),
        ({"x": (INT, ["n", 9]), "mask": (INT, ["n", 9])}, "'x' takes 9 values of a row; if"),
    ],
)
def test_inputs_that_rows_cannot_fill_are_refused(
    save: Save, inputs: dict[str, tuple[int, Shape]], told: str
) -> None:
    kind, shape = inputs["x"]
    output = helper.make_tensor_value_info("y", kind, shape)
    file = save(helper.make_node("Add", ["x", [*inputs][-1]], ["y"]), output, **inputs)
    with pytest.raises(ModelUnloadable, match=told):
        open_artifact(file, trust=False)


def test_sequence_as_output_is_refused(save: Save) -> None:
    output = helper.make_tensor_sequence_value_info("y", FLOAT, None)
    file = save(helper.make_node("SequenceConstruct", ["x"], ["y"]), output, x=(FLOAT, ["n", 2]))
    with pytest.raises(ModelUnloadable, match=r"output 'y' is a seq\(tensor\(float\)\)"):
        open_artifact(file, trust=False)
