"""A model whose calls of few rows are computed by ONNX Runtime."""

import logging
from collections.abc import Callable
from typing import Any

from registry.manifest import Manifest
from telemetry.logs import of_version
from workers.models.kernels.validated import float64_rows
from workers.models.optimizing.conversion import METHODS, as_onnx

log = logging.getLogger(__name__)


class OptimizedModel:
    """Everything is the model's own but the methods that another runtime has.

    Rows that are not plain finite float64 go to the model itself, as do calls of more rows than
    ``most_rows``; so errors are its own.
    """

    def __init__(self, original: Any, other: Any, most_rows: int) -> None:
        self._original, self._other, self._most_rows = original, other, most_rows

    def __getattr__(self, name: str) -> Any:
        """An attribute of the model; a method that chooses by its input, if both have it."""
        if name in ("_original", "_other"):  # not there yet while a copy is made
            raise AttributeError(name)
        original = getattr(self._original, name)
        other = getattr(self._other, name, None) if name in METHODS else None
        return original if other is None else self._choosing(original, other)

    def _choosing(self, original: Callable[[Any], Any], other: Callable[[Any], Any]) -> Any:
        def call(given: Any) -> Any:
            few = len(given) <= self._most_rows
            rows = float64_rows(self._original, given, nan_allowed=False) if few else None
            return original(given) if rows is None else other(rows)

        return call


def optimized(original: Any, served: Any, manifest: Manifest) -> tuple[Any, str]:
    """The model that a version is served with, and what its runtime adds to receipts.

    ``original``: as it was loaded; ``served``: with kernels. Golden rows are compared afterwards.
    """
    found = manifest.optimization
    if found is None or not found.most_rows:
        return served, ""
    try:
        other = as_onnx(original)
    except Exception as error:  # noqa: BLE001 - another release of the converter raises anything
        log.warning("not optimized: %s", error, extra=of_version(manifest.reference))
        return served, ""
    model = OptimizedModel(served, other, found.most_rows)
    return model, f"; {found.runtime} for calls of up to {found.most_rows:,} rows"
