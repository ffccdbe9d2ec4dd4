"""A classifier whose file numbers its classes, with the labels given at registration."""

from typing import Any

import numpy as np

from telemetry.errors import ModelUnloadable


class Labelled:
    """Answers with labels in place of class numbers; everything else is the model's own."""

    def __init__(self, model: Any, labels: tuple[Any, ...]) -> None:
        """Raises `ModelUnloadable` unless there is one label for each class."""
        self._model, self.classes_ = model, checked_labels(labels, len(model.classes_))

    def __getattr__(self, name: str) -> Any:
        """Attributes of the model."""
        if name == "_model":  # not there yet while a copy is made
            raise AttributeError(name)
        return getattr(self._model, name)

    def predict(self, given: Any) -> Any:
        """One label for each row."""
        return self.classes_[np.asarray(self._model.predict(given), dtype=np.intp)]


def checked_labels(labels: tuple[Any, ...], classes: int) -> Any:
    """The labels as an array; raises `ModelUnloadable` if their number is not that of classes."""
    if len(labels) != classes:
        raise ModelUnloadable(f"the model has {classes} classes, and {len(labels)} are named")
    return np.array(labels)
