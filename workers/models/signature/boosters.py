"""Reads the categories that LightGBM and XGBoost keep from their training frames."""

from typing import Any

Categories = dict[int, tuple[Any, ...]]
"""Position of a categorical column → its categories, in order."""


def categories(model: Any) -> Categories:
    """Categories of a booster, or of an estimator around one; empty for any other model."""
    if hasattr(model, "booster_"):
        model = model.booster_
    if hasattr(model, "pandas_categorical"):
        return _of_lightgbm(model)
    if hasattr(model, "get_booster"):
        model = model.get_booster()
    return _of_xgboost(model) if hasattr(model, "get_categories") else {}


def _of_lightgbm(booster: Any) -> Categories:
    """The model's text lists the categorical columns, in the order of `pandas_categorical`."""
    label = "[categorical_feature: "
    lines = booster.model_to_string().splitlines()
    line = next((line for line in lines if line.startswith(label)), label)
    indices = [int(index) for index in line.removeprefix(label).rstrip("]").split(",") if index]
    found = booster.pandas_categorical or []
    if len(indices) != len(found):  # some were named as `categorical_feature`, so have no dtype
        return {}
    return {index: tuple(values) for index, values in zip(indices, found, strict=True)}


def _of_xgboost(booster: Any) -> Categories:
    if "c" not in (booster.feature_types or ()):
        return {}
    try:
        pairs = enumerate(booster.get_categories(export_to_arrow=True).to_arrow())
        return {n: tuple(values.to_pylist()) for n, (_, values) in pairs if values is not None}
    except Exception:  # noqa: BLE001 - no categories kept, or text that XGBoost broke (non-ASCII)
        return {}
