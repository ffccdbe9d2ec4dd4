"""Fitted estimators as ONNX models that compute in float64."""

from typing import Any

import numpy as np

from workers.models.formats.libraries.onnx_file import load_onnx
from workers.models.formats.model_format import LoadOptions, import_runtime

METHODS = ("predict", "predict_proba")
"""Methods that an ONNX model may answer."""


def as_onnx(model: Any) -> Any:
    """Convert an estimator that takes a matrix; a model as `load_onnx` makes it.

    Raises as `onnx_file`.
    """
    return load_onnx(onnx_file(model), LoadOptions())


def onnx_file(model: Any) -> bytes:
    """Convert an estimator that takes a matrix; the content of an ONNX file.

    Raises what the converter raises for an estimator that it does not know, and `ModelUnloadable`
    if the converter is not installed.
    """
    converter = import_runtime("skl2onnx", "onnx")
    options = {id(model): {"zipmap": False}} if hasattr(model, "classes_") else None
    row = np.zeros((1, model.n_features_in_))
    content: bytes = converter.to_onnx(model, row, options=options).SerializeToString()
    return content
