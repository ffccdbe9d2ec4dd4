"""Classifiers whose files number their classes, with the labels given at registration."""

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


class ScoresClassifier:
    """A network whose output has one score for each class."""

    def __init__(self, model: Any, labels: tuple[Any, ...]) -> None:
        """``model``: its ``predict`` gives the output."""
        self._model, self.classes_ = model, np.array(labels)

    def __getattr__(self, name: str) -> Any:
        """Attributes of the network, such as its number of columns."""
        if name == "_model":  # not there yet while a copy is made
            raise AttributeError(name)
        return getattr(self._model, name)

    def predict(self, given: Any) -> Any:
        """The label with the highest score, for each row."""
        return self.classes_[self.decision_function(given).argmax(axis=1)]

    def decision_function(self, given: Any) -> Any:
        """The network's own scores (rows, classes); raises `ModelUnloadable` for other shapes."""
        scores = self._model.predict(given)
        width = scores.shape[1] if isinstance(scores, np.ndarray) and scores.ndim == 2 else 1
        checked_labels(tuple(self.classes_), width)
        return scores


def checked_labels(labels: tuple[Any, ...], classes: int) -> Any:
    """The labels as an array; raises `ModelUnloadable` if their number is not that of classes."""
    if len(labels) != classes:
        raise ModelUnloadable(f"the model has {classes} classes, and {len(labels)} are named")
    return np.array(labels)
