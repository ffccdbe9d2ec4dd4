"""The names of columns that hold predictions."""

from collections.abc import Sequence
from typing import Any

from registry.manifest import Signature

_NAMES = {"predict": "prediction", "predict_proba": "probability", "decision_function": "decision"}
_LABELLED = (
    *("predict_proba", "predict_log_proba", "predict_joint_log_proba", "decision_function"),
)
"""Methods that return a column per class."""


def output_name(method: str) -> str:
    """The column name of a method's predictions."""
    return _NAMES.get(method, method)


def output_classes(signature: Signature, method: str) -> Sequence[Any] | None:
    """The classes that the columns of a method's predictions stand for; None if they do not."""
    return signature.classes if method in _LABELLED else None


def column_names(name: str, width: int, classes: Sequence[Any] | None) -> list[str]:
    """The names of ``width`` columns: by class, else numbered; a single one has no number."""
    # A column that stands for a class keeps its label, even if it is the only one.
    if width == 1 and not classes:
        return [name]
    labels = classes if classes and len(classes) == width else range(width)
    return [f"{name}_{label}" for label in labels]
