"""ONNX models, computed by ONNX Runtime on one thread."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from telemetry.errors import ModelUnloadable
from workers.models.formats.libraries.labelled import ScoresClassifier
from workers.models.formats.libraries.onnx_inputs import check_inputs, is_one_row, tensor, width_of
from workers.models.formats.model_format import LoadOptions, import_runtime

_FIRST_TAGS = (b"\x12", b"\x1a", b"\x22", b"\x28", b"\x32", b"\x3a", b"\x42")
"""Tags of the fields that may follow the first field of an ONNX model."""
_VERSIONS = range(1, 64)


def is_onnx(content: bytes) -> bool:
    """Whether content begins as an ONNX model: the field `ir_version`, then another of its own."""
    return (
        content[:1] == b"\x08"
        and content[1:2] > b"\0"
        and content[1] in _VERSIONS
        and (content[2:3] in _FIRST_TAGS)
    )


def load_onnx(content: bytes, options: LoadOptions) -> Any:
    """Make a model around a session.

    Raises `ModelUnloadable` for inputs that are no columns, and for labels of a classifier.
    """
    graph = _self_contained(content).graph
    runtime = import_runtime("onnxruntime", "onnx")
    settings = runtime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    settings.log_severity_level = 4
    session = runtime.InferenceSession(content, settings, providers=["CPUExecutionProvider"])
    if not _is_classifier(session):
        model = OnnxModel(session)
        return model if options.labels is None else ScoresClassifier(model, options.labels)
    if options.labels is not None:
        raise ModelUnloadable("this ONNX file keeps its own classes; leave out --classes")
    return OnnxClassifier(session, _zipmap_keys(graph))


class OnnxModel:
    """A session that takes a matrix, or one input for each column."""

    def __init__(self, session: Any) -> None:
        self._session, self._inputs = session, session.get_inputs()
        check_inputs(self._inputs)
        _check_outputs(session.get_outputs())
        if len(self._inputs) > 1:
            self.feature_names_in_ = np.array([each.name for each in self._inputs], dtype=object)
            self.n_features_in_ = len(self._inputs)
        elif (width := width_of(self._inputs[0])) is not None:
            self.n_features_in_ = width

    def predict(self, given: Any) -> Any:
        """The first output, or all of them if there are several."""
        found = [_column(output) for output in self._run(None, given)]
        return found[0] if len(found) == 1 else tuple(found)

    def _run(self, outputs: Sequence[str] | None, given: Any) -> list[Any]:
        feed = {each.name: tensor(each, column) for each, column in self._columns(given)}
        if not is_one_row(self._inputs) or len(given) == 1:
            found: list[Any] = self._session.run(outputs, feed)
            return found
        rows = [
            self._session.run(outputs, {name: values[n : n + 1] for name, values in feed.items()})
            for n in range(len(given))
        ]
        return [*map(_joined, zip(*rows, strict=True))]

    def _columns(self, given: Any) -> list[tuple[Any, Any]]:
        array = given.to_numpy() if isinstance(given, pd.DataFrame) else np.asarray(given)
        if len(self._inputs) == 1:
            return [(self._inputs[0], array)]
        if isinstance(given, pd.DataFrame):
            return [(each, given[each.name].to_numpy()) for each in self._inputs]
        return [(each, array[:, index]) for index, each in enumerate(self._inputs)]


class OnnxClassifier(OnnxModel):
    """A session with a label and probabilities as outputs."""

    def __init__(self, session: Any, keys: Sequence[Any]) -> None:
        """``keys``: the classes of its ZipMap, the only node that must name all of them."""
        super().__init__(session)
        self._label, self._scores = (each.name for each in session.get_outputs())
        self._keys = keys
        if keys:
            self.classes_ = np.array(keys)

    def predict(self, given: Any) -> Any:
        """One label for each row."""
        return self._run([self._label], given)[0]

    def predict_proba(self, given: Any) -> Any:
        """Probabilities (rows, classes); those of a ZipMap in the order of ``classes_``."""
        (found,) = self._run([self._scores], given)
        if isinstance(found, list):
            return np.array([[row[key] for key in self._keys] for row in found])
        return found


def _check_outputs(outputs: Sequence[Any]) -> None:
    """Raise `ModelUnloadable` for outputs that are neither tensors nor those of a ZipMap."""
    if other := [each for each in outputs if not re.match(r"tensor|seq\(map", each.type)]:
        raise ModelUnloadable(
            f"output {other[0].name!r} is a {other[0].type}; a model gives tensors"
        )


def _joined(outputs: Sequence[Any]) -> Any:
    """One output of calls with a row each."""
    if isinstance(outputs[0], list):
        return [row for output in outputs for row in output]
    return np.concatenate(outputs)


def _is_classifier(session: Any) -> bool:
    outputs = session.get_outputs()
    if len(outputs) != 2 or outputs[0].type not in ("tensor(int64)", "tensor(string)"):
        return False
    return outputs[1].type in ("tensor(float)", "tensor(double)") or "map(" in outputs[1].type


def _zipmap_keys(graph: Any) -> list[Any]:
    """The classes of the graph's ZipMap; empty if it has none."""
    for node in graph.node:
        if node.op_type == "ZipMap":
            return [key for each in node.attribute for key in (*each.ints, *_texts(each))]
    return []


def _texts(attribute: Any) -> list[str]:
    return [text.decode() for text in attribute.strings]


def _column(output: Any) -> Any:
    array = np.asarray(output)
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _self_contained(content: bytes) -> Any:
    """Parse a model; refuse a model whose weights lie in other files, at paths that it names."""
    onnx = import_runtime("onnx", "onnx")
    helper = import_runtime("onnx.external_data_helper", "onnx")
    parsed = onnx.load_model_from_string(content)
    tensors = helper._get_all_tensors(parsed)  # noqa: SLF001 - also finds tensors in attributes and subgraphs
    if any(map(helper.uses_external_data, tensors)):
        raise ModelUnloadable("its weights are in another file; save them in the model file")
    return parsed
