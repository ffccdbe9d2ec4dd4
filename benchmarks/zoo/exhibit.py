"""An exhibit: a fitted model, its training frame, and a frame to predict."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

Form = Literal["frame", "values", "texts"]


class Exhibit(msgspec.Struct, frozen=True):
    """A model with its data."""

    model: Any
    sample: Any
    """The training data as a frame, without the target."""
    fresh: Any
    """Unseen rows, with unknown and missing values if the model accepts them."""
    form: Form = "frame"
    """Input form of its methods: the frame, its `to_numpy()`, or its only column as a list."""

    def given(self, frame: Any) -> Any:
        """Convert a frame to the form that the model takes."""
        if self.form == "frame":
            return frame
        return frame.to_numpy() if self.form == "values" else frame.iloc[:, 0].tolist()


Make = Callable[[], Exhibit]
