"""Imputers of floats: their input is validated shortly, and missing values are filled at once."""

from typing import Any

import numpy as np

from workers.models.kernels.steps.scaling import gives_arrays
from workers.models.kernels.validated import float64_rows
from workers.models.tabular.columns import Array


class SimpleImputerKernel:
    """Overrides `transform`."""

    def transform(self, X: Any) -> Any:
        """See `sklearn.impute.SimpleImputer`."""
        imputer: Any = self
        rows = float64_rows(imputer, X, nan_allowed=True)
        if rows is None:
            return super().transform(X)  # type: ignore[misc]  # of scikit-learn's class
        filled = rows.copy(order="K")
        np.copyto(filled, imputer.kernel, where=np.isnan(filled))
        return filled


def prepare_imputer(imputer: Any) -> Array | None:
    """What replaces a missing value, for each column.

    None unless the imputer only replaces NaN in columns of float64, of which it drops none.
    """
    is_plain = (
        imputer._fit_dtype == imputer._fill_dtype == np.float64
        and isinstance(imputer.missing_values, float)
        and np.isnan(imputer.missing_values)
        and imputer.copy
        and not imputer.add_indicator
        and gives_arrays(imputer)
    )
    filling = imputer.statistics_.astype(np.float64) if is_plain else None
    return None if filling is None or np.isnan(filling).any() else filling
