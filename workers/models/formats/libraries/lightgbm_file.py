"""LightGBM models, saved as text. The booster is called directly, which saves its wrapper's time.

The text does not keep class labels, so they are given at registration, or are 0 to n - 1.
"""

from typing import Any

import numpy as np

from telemetry.errors import ModelUnloadable
from workers.models.formats.libraries.labelled import checked_labels
from workers.models.formats.model_format import Labels, LoadOptions, import_runtime

_CLASSIFYING = ("binary", "multiclass", "multiclassova")


def is_lightgbm(content: bytes) -> bool:
    """Whether content begins as a model of LightGBM."""
    return content.startswith((b"tree\nversion=", b"tree\r\nversion="))


def load_lightgbm(content: bytes, options: LoadOptions) -> Any:
    """Make a classifier or regressor around the booster, as the objective says."""
    text = content.decode()
    if "\nend of trees" not in text.replace("\r\n", "\n"):  # LightGBM aborts on some of these
        raise ModelUnloadable("the text of the model is not complete")
    booster = import_runtime("lightgbm", "lightgbm").Booster(model_str=text)
    if _objective(text) in _CLASSIFYING:
        return LightGBMClassifier(booster, options.labels)
    if options.labels is not None:
        raise ModelUnloadable(f"a model with the objective {_objective(text)} has no classes")
    return LightGBMRegressor(booster)


class LightGBMRegressor:
    """A booster that gives one number for each row."""

    def __init__(self, booster: Any) -> None:
        self.booster_ = booster
        self.n_features_in_ = booster.num_feature()
        names = booster.feature_name()
        if names != [f"Column_{index}" for index in range(len(names))]:
            self.feature_names_in_ = np.array(names, dtype=object)

    def predict(self, given: Any) -> Any:
        """One number for each row."""
        return self.booster_.predict(given, num_threads=1)


class LightGBMClassifier(LightGBMRegressor):
    """A booster that gives probabilities."""

    def __init__(self, booster: Any, labels: Labels) -> None:
        super().__init__(booster)
        classes = max(booster.num_model_per_iteration(), 2)
        self.classes_ = np.arange(classes) if labels is None else checked_labels(labels, classes)

    def predict_proba(self, given: Any) -> Any:
        """Probabilities (rows, classes), in the order of ``classes_``."""
        found = super().predict(given)
        return np.vstack((1.0 - found, found)).T if found.ndim == 1 else found

    def predict(self, given: Any) -> Any:
        """The likeliest label for each row."""
        return self.classes_[np.argmax(self.predict_proba(given), axis=1)]


def _objective(text: str) -> str:
    line = next((line for line in text.splitlines() if line.startswith("objective=")), "")
    return line.removeprefix("objective=").partition(" ")[0]
