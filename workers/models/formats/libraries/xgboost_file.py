"""XGBoost models, saved as JSON or UBJSON."""

import json
from typing import Any

from telemetry.errors import ModelUnloadable
from workers.models.formats.libraries.labelled import Labelled
from workers.models.formats.model_format import LoadOptions, import_runtime

_CLASSIFYING = ("binary:", "multi:")
_HEAD = 64
"""Bytes in which the first key of a model is found."""


def is_xgboost(content: bytes) -> bool:
    """Whether content begins as a model of XGBoost in JSON or UBJSON."""
    head = content[:_HEAD].lstrip()
    return head.startswith(b"{") and (b"learner" in head or b"version" in head)


def load_xgboost(content: bytes, options: LoadOptions) -> Any:
    """Make the estimator of XGBoost that the objective asks for."""
    xgboost = import_runtime("xgboost", "xgboost")
    booster = xgboost.Booster()
    booster.load_model(bytearray(content))
    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    is_classifier = objective.startswith(_CLASSIFYING)
    estimator = (xgboost.XGBClassifier if is_classifier else xgboost.XGBRegressor)(n_jobs=1)
    estimator.load_model(bytearray(content))
    if options.labels is None:
        return estimator
    if not is_classifier:
        raise ModelUnloadable(f"a model with the objective {objective} has no classes")
    return Labelled(estimator, options.labels)
