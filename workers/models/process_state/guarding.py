"""Guards the process that examines a model against what the model does to it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from telemetry.errors import ModelError
from workers.memory_limit import within_share


@contextmanager
def guarded() -> Iterator[None]:
    """Examine a model inside the block; raises as `within_share` and `refusing_exit`."""
    with within_share(), refusing_exit():
        yield


@contextmanager
def refusing_exit() -> Iterator[None]:
    """Raise `ModelError` if a model calls `os._exit` inside the block.

    The process would end without a word, and perhaps with the status of success.
    """
    pid, end = os.getpid(), os._exit

    def refuse(status: int) -> None:
        if os.getpid() != pid:  # a child that the model forked
            end(status)
        raise ModelError(f"the model ends its process, by os._exit({status})")

    names = vars(os)
    names["_exit"] = refuse
    try:
        yield
    finally:
        names["_exit"] = end
