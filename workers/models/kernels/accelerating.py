"""Replaces estimators that have a kernel, also inside pipelines and meta-estimators."""

import logging
from functools import cache
from typing import Any

from telemetry.logs import of_version
from workers.models.kernels.all_kernels import KERNELS, PARTS, Kernel
from workers.models.kernels.fitted import Fitted
from workers.models.kernels.sklearn_classes import COPIED, original_name

log = logging.getLogger(__name__)


def accelerated(model: Any, reference: str) -> Any:
    """A model that gives the same bits sooner; the model itself if no part of it has a kernel.

    The model is not changed: what differs is a shallow copy. Only scikit-learn's own classes are
    replaced or looked into, never subclasses of them. ``reference``: the version, for the log.
    """
    try:
        return _accelerated(model, reference)
    except Exception as error:  # noqa: BLE001 - looking into a damaged model raises anything
        _log_refusal(f"{type(error).__name__}: {error}", reference)
        return model


def _accelerated(model: Any, reference: str) -> Any:
    kind: Any = type(model)
    name = original_name(kind)
    changed = {}
    for attribute in PARTS.get(name, ()):
        parts = getattr(model, attribute, None)
        found = _replaced(parts, reference)
        if found is not parts:
            changed[attribute] = found
    rebuilt = _rebuilt(model, changed) if changed else model
    return _with_kernel(rebuilt, kind, KERNELS[name], reference) if name in KERNELS else rebuilt


def _with_kernel(original: Any, kind: Any, kernel: Kernel, reference: str) -> Any:
    """``kind``: scikit-learn's class of the estimator, whose parts may have kernels already."""
    try:
        prepared = kernel.prepare(original)
        if prepared is None:
            return original
        methods = _kernel_class(kind, kernel.methods, Fitted)
        twin = _copy(original, methods, kernel=prepared, kept_tags=_tags(original))
        if kernel.agrees(original, twin):
            return twin
        fault = "it gives other bits than scikit-learn"
    # A damaged model raises anything, a large one `MemoryError`; both may be served without.
    except Exception as error:  # noqa: BLE001 - see above
        fault = f"{type(error).__name__}: {error}"
    _log_refusal(fault, reference)
    return original


def _tags(original: Any) -> Any:
    """Its tags; None before scikit-learn 1.6, which asks estimators for other things."""
    return original.__sklearn_tags__() if hasattr(original, "__sklearn_tags__") else None


def _log_refusal(fault: str, reference: str) -> None:
    log.warning("no kernel: %s", fault, extra=of_version(reference))


def _rebuilt(model: Any, changed: dict[str, Any]) -> Any:
    """A copy of a meta-estimator with other parts."""
    kind: Any = type(model)
    try:
        tags = model.__sklearn_tags__()
    except Exception:  # noqa: BLE001 - it has no tags, or asks its parts, which raise anything
        return _copy(model, kind, **changed)
    return _copy(model, _kernel_class(kind, Fitted), kept_tags=tags, **changed)


def _replaced(parts: Any, reference: str) -> Any:
    """An estimator, a list of them, or a list of named ones; the same object if none differs."""
    if not isinstance(parts, list):
        return _accelerated(parts, reference)
    found = [_replaced_step(part, reference) for part in parts]
    same = all(one is other for one, other in zip(found, parts, strict=True))
    return parts if same else found


def _replaced_step(part: Any, reference: str) -> Any:
    """``part``: an estimator, or a tuple of its name, itself, and perhaps its columns."""
    if not isinstance(part, tuple):
        return _accelerated(part, reference)
    name, step, *columns = part
    found = _accelerated(step, reference)
    return part if found is step else (name, found, *columns)


def _copy(model: Any, kind: Any, **changed: Any) -> Any:
    twin = kind.__new__(kind)
    twin.__dict__.update(model.__dict__ | changed)
    return twin


@cache
def _kernel_class(kind: Any, *methods: type) -> Any:
    """A subclass of the same name, as scikit-learn's messages name the class."""
    return type(kind)(
        kind.__name__, (*methods, kind), {"__module__": kind.__module__, COPIED: kind}
    )
