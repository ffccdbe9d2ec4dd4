"""Boosters of XGBoost and LightGBM that were pickled without an estimator around them."""

from typing import Any

from workers.models.formats.libraries.lightgbm_file import load_lightgbm
from workers.models.formats.libraries.xgboost_file import load_xgboost
from workers.models.formats.model_format import Labels, LoadOptions

_XGBOOST, _LIGHTGBM = "xgboost.core.Booster", "lightgbm.basic.Booster"


def is_bare_booster(made: Any) -> bool:
    """Whether an object is a booster, which takes its library's own tables, not rows."""
    return _name(made) in (_XGBOOST, _LIGHTGBM)


def around_booster(booster: Any, labels: Labels) -> Any:
    """The model that a file of this booster would give; raises as the loaders of such files."""
    options = LoadOptions(labels=labels)
    if _name(booster) == _XGBOOST:
        return load_xgboost(bytes(booster.save_raw("ubj")), options)
    return load_lightgbm(booster.model_to_string().encode(), options)


def _name(made: Any) -> str:
    return f"{type(made).__module__}.{type(made).__qualname__}"
