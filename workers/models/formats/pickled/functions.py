"""Functions that were pickled, by cloudpickle with their code, in place of a fitted model."""

from collections.abc import Callable
from functools import partial
from inspect import isroutine
from typing import Any


class PickledFunction:
    """Calls a function with the rows."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def predict(self, given: Any) -> Any:
        """The answer of the function."""
        return self._function(given)


def is_function(made: Any) -> bool:
    """Whether an object is a function, perhaps with some arguments given."""
    return isroutine(made) or isinstance(made, partial)
