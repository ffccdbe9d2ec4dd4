"""The base class of all errors, and what an error says of one place in the input."""

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """One error in the input."""

    loc: tuple[str | int, ...]
    """Path from the root of the body, e.g. ``("features", 3, "age")``."""
    msg: str
    row: int | None = None
    """Index of the row from 0, if the error lies in one row."""


class PredictqError(Exception):
    """Something went wrong."""

    __module__ = "telemetry.errors"
    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False
    """Whether the same request may succeed later."""
    retried: ClassVar[bool] = False
    """Whether workers retry before they fail a prediction with this error."""
    infrastructure: ClassVar[bool] = False
    """Whether the model or its process is at fault: the prediction leaves a dead letter, and counts
    as a failure of its version."""

    def __init__(self, message: str = "", *, errors: Sequence[Detail] = (), **extra: Any) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.errors, self.extra = tuple(errors), extra
        super().__init__(self.message)

    def __init_subclass__(cls) -> None:
        # Failed outcomes name the class and its module, and Celery imports it where a caller asks
        # for the exception. So the module of a class may change, but not the name on the wire.
        cls.__module__ = PredictqError.__module__
