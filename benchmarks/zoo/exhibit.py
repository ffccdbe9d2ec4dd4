"""What an exhibit is: a fitted model, the frame that trained it, and a frame to ask it for."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

Form = Literal["frame", "values", "texts"]


class Exhibit(msgspec.Struct, frozen=True):
    """A model, and what it is asked."""

    model: Any
    sample: Any
    """The training data as a frame, without the target."""
    fresh: Any
    """Rows that it has not seen, with strange and missing values where it takes them."""
    form: Form = "frame"
    """What its methods are given: the frame, its `to_numpy()`, or its only column as a list."""

    def given(self, frame: Any) -> Any:
        """A frame as the model takes it."""
        if self.form == "frame":
            return frame
        return frame.to_numpy() if self.form == "values" else frame.iloc[:, 0].tolist()


Make = Callable[[], Exhibit]
