"""Dictionaries that hold a model, and perhaps the names of its columns."""

from typing import Any

from telemetry.errors import ModelUnloadable
from workers.models.formats.libraries.bare_boosters import is_bare_booster
from workers.models.formats.pickled.functions import is_function
from workers.models.signature.methods import method_candidates

_ESTIMATOR_KEYS = ("model", "estimator", "pipeline")
_NAMES_KEYS = ("feature_names", "features", "columns")
_REMEDY = 'save the model alone, or as {"model": model, "feature_names": names}'
_CLASS = "if it is a model, register a class of your own that has a method predict and calls it"
_TOGETHER = "put all steps into one Pipeline, or register a class of your own that uses them"


def model_in(made: dict[Any, Any], what: str) -> Any:
    """The model in a dictionary: under one of the usual keys, or the only value that computes.

    Raises `ModelUnloadable` if there is none, or if it cannot be told which one it is.
    """
    key = next((key for key in _ESTIMATOR_KEYS if key in made), None)
    if key is not None:
        return made[key]
    found = _computing(made)
    if not found:
        told = ", ".join(map(repr, [*made][:5])) or "nothing"
        reason = f"contains a dictionary without a model; it has {told}: {_REMEDY}"
        raise ModelUnloadable(f"{what} {reason}")
    if len(found) > 1:
        reason = f"contains a dictionary with several models: {_named(found)}"
        raise ModelUnloadable(f"{what} {reason}; register each by itself, or {_TOGETHER}")
    return next(iter(found.values()))


def refuse_unapplied(made: Any, what: str) -> None:
    """Raise `ModelUnloadable` if a dictionary holds steps beside its model.

    Rows would not go through them, so the answers would not be those that the file is used for.
    """
    if not isinstance(made, dict):
        return
    model = model_in(made, what)
    others = {key: value for key, value in _computing(made).items() if value is not model}
    if others:
        reason = f"also holds {_named(others)}, which would not be applied to the rows"
        raise ModelUnloadable(f"{what} {reason}: {_TOGETHER}")


def stated_names(made: Any, what: str) -> list[str] | None:
    """The names of columns in a dictionary; raises `ModelUnloadable` if they are none."""
    if not isinstance(made, dict):
        return None
    key = next((key for key in _NAMES_KEYS if made.get(key) is not None), None)
    return None if key is None else _checked_names(made[key], f"{what}: {key!r}")


def not_a_model(made: Any, what: str) -> str:
    """Why an object cannot be served, and what to save instead."""
    kind = type(made).__name__
    if hasattr(made, "fit_predict"):
        return (
            f"{what} holds {kind}, which knows only the rows that it was fitted on: fit a "
            "classifier on these rows and the labels that they got, and register that"
        )
    if isinstance(made, list | tuple) and (parts := _computing(dict(enumerate(made)))):
        return f"{what} holds a {kind} of several objects: {_named(parts)}; {_TOGETHER}"
    if hasattr(made, "cv_results_") and not getattr(made, "refit", True):
        return f"{what} holds {kind} with refit=False, which keeps no model: fit it with refit=True"
    return f"{what} holds {kind}, which cannot predict: {_REMEDY}; {_CLASS}"


def _computing(made: dict[Any, Any]) -> dict[Any, Any]:
    """The values that turn rows into something: estimators, boosters and functions."""
    return {key: value for key, value in made.items() if _computes(value)}


def _computes(value: Any) -> bool:
    # Frames and arrays have methods of these names, too, and are data.
    if isinstance(value, type) or hasattr(value, "__array__"):
        return False
    return is_bare_booster(value) or is_function(value) or bool(method_candidates(value))


def _named(found: dict[Any, Any]) -> str:
    return ", ".join(f"{key!r} ({type(value).__name__})" for key, value in found.items())


def _checked_names(given: Any, what: str) -> list[str]:
    names = given.tolist() if hasattr(given, "tolist") else given  # an array or an index
    if not isinstance(names, list | tuple) or not all(isinstance(n, str | int) for n in names):
        raise ModelUnloadable(f"{what} must be a list of names")
    names = [str(name) for name in names]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ModelUnloadable(f"{what} names {', '.join(twice)} more than once")
    return names
