"""Scalers: their input is validated shortly. The arithmetic is scikit-learn's own."""

from typing import Any

from workers.models.kernels.validated import float64_rows


class StandardScalerKernel:
    """Overrides `transform`."""

    def transform(self, X: Any, copy: bool | None = None) -> Any:
        """See `sklearn.preprocessing.StandardScaler`."""
        scaler: Any = self
        rows = float64_rows(scaler, X, nan_allowed=True) if copy is None else None
        if rows is None:
            return super().transform(X, copy=copy)  # type: ignore[misc]  # of scikit-learn's class
        if scaler.with_mean and scaler.with_std:
            rows = rows - scaler.mean_
            rows /= scaler.scale_
            return rows
        if scaler.with_mean:
            return rows - scaler.mean_
        return rows / scaler.scale_ if scaler.with_std else rows.copy(order="K")


class MinMaxScalerKernel:
    """Overrides `transform`."""

    def transform(self, X: Any) -> Any:
        """See `sklearn.preprocessing.MinMaxScaler`."""
        scaler: Any = self
        rows = float64_rows(scaler, X, nan_allowed=True)
        if rows is None:
            return super().transform(X)  # type: ignore[misc]  # of scikit-learn's class
        rows = rows * scaler.scale_
        rows += scaler.min_
        return rows


def prepare_standard(scaler: Any) -> bool | None:
    """None if the scaler changes its input, or gives frames; there is nothing to prepare."""
    return True if scaler.copy and hasattr(scaler, "scale_") and gives_arrays(scaler) else None


def prepare_min_max(scaler: Any) -> bool | None:
    """As `prepare_standard`; None also if values are clipped."""
    return None if scaler.clip else prepare_standard(scaler)


def gives_arrays(transformer: Any) -> bool:
    """Whether a transformer was not told to give frames."""
    told = getattr(transformer, "_sklearn_output_config", {})
    return bool(told.get("transform", "default") == "default")
