"""CatBoost models in its binary format. The file keeps classes, names and categorical columns."""

from typing import Any

import numpy as np

from telemetry.errors import ModelUnloadable
from workers.models.formats.model_format import LoadOptions, import_runtime

MAGIC = b"CBM1"
HEAD_BYTES = len(MAGIC) + 4
"""Bytes before the model: a mark, and its size as an integer of four bytes, the lowest first."""


def is_catboost(content: bytes) -> bool:
    """Whether content begins as a model of CatBoost."""
    return content.startswith(MAGIC)


def load_catboost(content: bytes, options: LoadOptions) -> Any:
    """Make a classifier if the file has classes, else a regressor."""
    if options.labels is not None:
        raise ModelUnloadable("a CatBoost file keeps its own classes; leave out --classes")
    _refuse_truncated(content)
    catboost = import_runtime("catboost", "catboost")
    if len(catboost.CatBoost().load_model(blob=content).classes_):
        return CatBoostFileClassifier(catboost.CatBoostClassifier().load_model(blob=content))
    return CatBoostFile(catboost.CatBoostRegressor().load_model(blob=content))


def _refuse_truncated(content: bytes) -> None:
    """Raise `ModelUnloadable` for less content than its head says.

    CatBoost reads beyond its end, and whether that fails depends on what is in memory there.
    """
    size = int.from_bytes(content[len(MAGIC) : HEAD_BYTES], "little")
    if len(content) < HEAD_BYTES + size:
        raise ModelUnloadable(f"it is truncated: {len(content):,} of {HEAD_BYTES + size:,} bytes")


class CatBoostFile:
    """A model of CatBoost with the attributes of scikit-learn, computing on one thread."""

    def __init__(self, model: Any) -> None:
        self.model_ = model
        names = model.feature_names_
        self.n_features_in_ = len(names)
        if names != [str(index) for index in range(len(names))]:
            self.feature_names_in_ = np.array(names, dtype=object)

    def predict(self, given: Any) -> Any:
        """Predict as CatBoost's own estimator does."""
        return self.model_.predict(given, thread_count=1)


class CatBoostFileClassifier(CatBoostFile):
    """A classifier of CatBoost."""

    @property
    def classes_(self) -> Any:
        """Labels in the order of probabilities."""
        return self.model_.classes_

    def predict_proba(self, given: Any) -> Any:
        """Probabilities (rows, classes)."""
        return self.model_.predict_proba(given, thread_count=1)
