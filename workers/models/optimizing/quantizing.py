"""Networks with weights of 8 bits: smaller and mostly faster, with other answers in few rows.

Weights are quantized by ONNX Runtime ahead, activations while it computes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from registry.manifest import Signature
from telemetry.errors import Invalid, PredictqError
from workers.models.formats.libraries.onnx_file import load_onnx
from workers.models.formats.model_format import LoadOptions, import_runtime
from workers.models.kernels.accelerating import accelerated
from workers.models.optimizing.choosing import TIMED_ROWS, microseconds
from workers.models.optimizing.comparing import with_column_names
from workers.models.optimizing.conversion import onnx_content
from workers.models.tabular.columns import Array
from workers.models.tabular.table import is_matrix

_QUANTIZED = "MatMulInteger"
"""The operator that a product of matrices becomes."""
_NO_MATRICES = "only float32 matrices of weights, as networks have them, are quantized"


class Quantized(msgspec.Struct, frozen=True):
    """A quantized network beside the one that it was made of."""

    content: bytes
    """The bytes of an ONNX model."""
    sizes: tuple[int, int]
    """Bytes of the network in float32, and of the quantized one."""
    times: dict[int, tuple[float, float]]
    """Rows of a call → microseconds of the original's ``predict``, and of the quantized one's."""
    rows: int
    """Rows of the sample, which were compared."""
    same: int | None
    """Rows with the same label; None for a model without labels."""
    difference: float
    """The greatest difference of a probability, or of a value as a share of the values' spread."""


def quantize_network(
    model: Any, content: bytes | None, signature: Signature, sample: pd.DataFrame
) -> Quantized:
    """Quantize a network and compare both on a sample.

    ``content``: its bytes if they are ONNX; otherwise it is a fitted estimator. ``sample``: rows as
    the model takes them. Raises `Invalid` for a model that is not a network of floats, or that has
    no weights to quantize, and `ModelUnloadable` if a library is not installed.
    """
    if not is_matrix(signature):
        raise Invalid("only a network whose columns are plain numbers can be quantized")
    original = content or _converted(model)
    made = _quantized(original)
    rows, other = sample.to_numpy(np.float64), load_onnx(made, LoadOptions())
    same, difference = _compared(model, other, rows)
    sizes, times = (len(original), len(made)), _times(model, other, rows)
    return Quantized(made, sizes, times, len(rows), same, difference)


def _converted(model: Any) -> bytes:
    with _refusing("it cannot be converted to ONNX"):
        return onnx_content(model, np.float32)


def _quantized(content: bytes) -> bytes:
    inference = import_runtime("onnxruntime.quantization.shape_inference", "onnx")
    quantization = import_runtime("onnxruntime.quantization", "onnx")
    parsed = _parsed(content)
    if _is_quantized(parsed):
        raise Invalid("the network is quantized already")
    with _refusing("it cannot be quantized"), TemporaryDirectory() as directory:
        prepared, path = (str(Path(directory) / name) for name in ("prepared", "quantized"))
        inference.quant_pre_process(
            parsed, prepared, skip_optimization=True, skip_symbolic_shape=True
        )
        quantization.quantize_dynamic(prepared, path)
        made = Path(path).read_bytes()
    if not _is_quantized(_parsed(made)):
        raise Invalid(_NO_MATRICES)
    return made


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    try:
        yield
    except PredictqError:
        raise
    except Exception as error:  # the libraries raise anything for models that they do not know
        raise Invalid(f"{what} ({error}): {_NO_MATRICES}") from error


def _parsed(content: bytes) -> Any:
    return import_runtime("onnx", "onnx").load_model_from_string(content)


def _is_quantized(parsed: Any) -> bool:
    return any(node.op_type == _QUANTIZED for node in parsed.graph.node)


def _compared(original: Any, quantized: Any, rows: Array) -> tuple[int | None, float]:
    """Rows with the same label, and the greatest difference."""
    labels = _answers(original, "predict", rows), _answers(quantized, "predict", rows)
    if not hasattr(original, "predict_proba"):
        spread = float(np.ptp(labels[0])) or 1.0
        return None, float(np.max(np.abs(labels[0] - labels[1]))) / spread
    scores = (_answers(each, "predict_proba", rows) for each in (original, quantized))
    difference = float(np.max(np.abs(np.subtract(*scores))))
    return int(np.sum(labels[0] == labels[1])), difference


def _answers(model: Any, method: str, rows: Array) -> Array:
    asked = getattr(model, method)
    return np.asarray(asked(with_column_names(asked, rows)))


def _times(original: Any, quantized: Any, rows: Array) -> dict[int, tuple[float, float]]:
    served = accelerated(original, "model")
    found: dict[int, tuple[float, float]] = {}
    for count in TIMED_ROWS:
        given = np.resize(rows, (count, rows.shape[1]))
        pair = [
            microseconds(each.predict, with_column_names(each.predict, given))
            for each in (served, quantized)
        ]
        found[count] = (pair[0], pair[1])
    return found
