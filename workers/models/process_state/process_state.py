"""Gives a version a process state of its own, while it is loaded and called."""

import logging
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from decimal import getcontext, setcontext
from typing import Any, TypeVar

from telemetry.logs import of_version
from workers.models.process_state.containing import contained
from workers.models.process_state.generators import Generators
from workers.models.process_state.parts import CHANGEABLE

log = logging.getLogger(__name__)
ResultType = TypeVar("ResultType")


class ProcessState:
    """The state that one version changed in this process.

    The version finds its changes again at its next call. Other versions, and our own code between
    the calls, never see them.
    """

    def __init__(self, reference: str) -> None:
        self._reference, self._generators = reference, Generators()
        # NumPy's treatment of floating-point errors, the decimal context, and the like.
        self._context = copy_context()
        self._context.run(lambda: setcontext(getcontext().copy()))
        self._changed: dict[int, Any] = {}
        """Index of the part → value."""
        self._told: set[int] = set()

    def run(self, call: Callable[[], ResultType]) -> ResultType:
        """Call ``call`` in the state of the version, and stop children that it forks."""
        ours = _read()
        try:
            self._generators.install()
            _write(self._changed)
            with contained():
                return self._context.run(call)
        finally:
            self._leave(ours)

    def _leave(self, ours: list[Any]) -> None:
        """Note what the version changed, and change it back."""
        theirs = _read()
        changed = [index for index, value in enumerate(ours) if theirs[index] != value]
        _write({index: ours[index] for index in changed})
        self._changed = {index: theirs[index] for index in changed if CHANGEABLE[index].is_kept}
        if new := [index for index in changed if index not in self._told]:
            self._told.update(new)
            names = ", ".join(CHANGEABLE[index].name for index in new)
            fields = of_version(self._reference)
            log.warning("a model changed %s; other models do not see it", names, extra=fields)


def _read() -> list[Any]:
    return [part.read() for part in CHANGEABLE]


def _write(values: dict[int, Any]) -> None:
    for index, value in values.items():
        # A directory or locale that is gone, or a limit that is too low for the calls in progress:
        # each part has its own errors, and the other parts are written all the same.
        with suppress(Exception):
            CHANGEABLE[index].write(value)
