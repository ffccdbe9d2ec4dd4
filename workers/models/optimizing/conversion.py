"""Fitted estimators as ONNX models."""

from typing import Any

import numpy as np

from workers.models.formats.libraries.onnx_file import load_onnx
from workers.models.formats.model_format import LoadOptions, import_runtime

METHODS = ("predict", "predict_proba")
"""Methods that an ONNX model may answer."""


def as_onnx(model: Any) -> Any:
    """Convert an estimator that takes a matrix; a model as `load_onnx` makes it.

    Raises what the converter raises for an estimator that it does not know, and `ModelUnloadable`
    if the converter is not installed.
    """
    return load_onnx(onnx_content(model, np.float64), LoadOptions())


def onnx_content(model: Any, dtype: type[np.floating[Any]]) -> bytes:
    """The bytes of an ONNX model that computes in ``dtype``; raises as `as_onnx`."""
    converter = import_runtime("skl2onnx", "onnx")
    options = {id(model): {"zipmap": False}} if hasattr(model, "classes_") else None
    row = np.zeros((1, model.n_features_in_), dtype)
    made: bytes = converter.to_onnx(model, row, options=options).SerializeToString()
    return made
