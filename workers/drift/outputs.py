"""The outputs of a model that are counted: labels, numbers, and probabilities by class."""

from collections.abc import Iterator, Mapping

import numpy as np

from registry.manifest import Column, Signature
from workers.models.tabular.columns import Array
from workers.models.tabular.outputs import Output

MAX_CLASSES = 10
"""Columns of probabilities that are counted."""


def outputs_of(signature: Signature, answers: Mapping[str, Output]) -> Iterator[tuple[str, Array]]:
    """Name and array of each output that is counted: one value a row, or a class's probability."""
    for method, output in answers.items():
        if not isinstance(output, np.ndarray):
            continue
        if output.ndim == 1:
            yield method, output
        elif method == "predict_proba":
            classes = signature.classes or range(output.shape[1])
            for label, array in list(zip(classes, output.T, strict=False))[:MAX_CLASSES]:
                yield f"{method} of {label}", array


def output_column(signature: Signature, name: str, output: Array) -> Column:
    """Describe an output as a column: of labels, or of numbers."""
    is_label = name == "predict" and bool(signature.classes)
    return Column(name, "any" if is_label or output.dtype.kind != "f" else "number")
