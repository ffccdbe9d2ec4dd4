"""XGBoost models, saved as JSON or UBJSON."""

import json
from typing import Any

from telemetry.errors import ModelUnloadable
from workers.models.formats.libraries.labelled import Labelled
from workers.models.formats.model_format import LoadOptions, import_runtime

_CLASSIFYING = ("binary:", "multi:")
_ESTIMATORS = {
    "classifier": "XGBClassifier",
    "ranker": "XGBRanker",
    "regressor": "XGBRegressor",
}
_HEAD = 64
"""Bytes in which the first key of a model is found."""


def is_xgboost(content: bytes) -> bool:
    """Whether content begins as a model of XGBoost in JSON or UBJSON."""
    head = content[:_HEAD].lstrip()
    return head.startswith(b"{") and (b"learner" in head or b"version" in head)


def load_xgboost(content: bytes, options: LoadOptions) -> Any:
    """Make the estimator of XGBoost that saved the file, or else that the objective asks for."""
    xgboost = import_runtime("xgboost", "xgboost")
    booster = xgboost.Booster()
    booster.load_model(bytearray(content))
    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    saved_by = json.loads(booster.attr("scikit_learn") or "{}")
    kind = saved_by.get("_estimator_type") or _kind(objective)
    estimator = getattr(xgboost, _ESTIMATORS[kind])(n_jobs=1)
    estimator.load_model(bytearray(content))
    if not saved_by:  # a Booster of its own answers with all trees, an estimator with the best ones
        estimator.get_booster().set_attr(best_iteration=None)
    if options.labels is None:
        return estimator
    if kind != "classifier":
        raise ModelUnloadable(f"a model with the objective {objective} has no classes")
    return Labelled(estimator, options.labels)


def _kind(objective: str) -> str:
    """The type of estimator for a file that a `Booster` saved."""
    if objective.startswith(_CLASSIFYING):
        return "classifier"
    return "ranker" if objective.startswith("rank:") else "regressor"
