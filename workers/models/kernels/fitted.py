"""What all copies have that are made at load: they are fitted, and their tags do not change."""

from typing import Any


class Fitted:
    """Overrides what scikit-learn asks an estimator about itself, several times in each call."""

    def __sklearn_tags__(self) -> Any:
        return self.kept_tags  # type: ignore[attr-defined]  # see `accelerating`

    def __sklearn_is_fitted__(self) -> bool:
        return True
