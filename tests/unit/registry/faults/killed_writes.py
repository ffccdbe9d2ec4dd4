"""Ends a process before one of its writes to the registry, as a kill does."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from registry.registrations import registrations
from registry.storage import files

MOST_WRITES = 50


class Killed(BaseException):
    """The process ends at this write."""


def killed_at_each_write(
    patch: pytest.MonkeyPatch, prepare: Callable[[], object], act: Callable[[], object]
) -> Iterator[int]:
    """Prepare and act, killed at the first write, then at the second, until the act succeeds.

    Yields the number of writes that were made, after each kill.
    """
    for writes in range(MOST_WRITES):
        prepare()
        with patch.context() as context:
            kill_after(context, writes)
            with suppress(Killed):
                act()
                return
        yield writes
    raise AssertionError("it always fails")


def kill_after(patch: pytest.MonkeyPatch, writes: int) -> None:
    """End the process at the write after so many, of the registry's files but the stamp."""
    left: Iterator[int] = iter(range(writes))

    def counted(write: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(path: Any, *args: Any) -> Any:
            if path.name != ".generation" and next(left, None) is None:
                raise Killed
            return write(path, *args)

        return wrapped

    for name in ("write_file", "append_lines"):
        patch.setattr(files, name, counted(getattr(files, name)))
    patch.setattr(registrations, "write_file", files.write_file)
