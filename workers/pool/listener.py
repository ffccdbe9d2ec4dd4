"""The functions that a pool calls at its events."""

import logging
import os
from collections.abc import Callable
from typing import NamedTuple

from celery.worker import state

log = logging.getLogger(__name__)


def _end_worker() -> None:
    log.error("the fork server ended, so this worker ends")
    state.should_stop = os.EX_SOFTWARE  # the supervisor restarts the whole worker


class Listener(NamedTuple):
    """The functions that the pool calls at its events."""

    on_ready: Callable[[], object]
    """Called when a new process is ready."""
    on_idle: Callable[[], object]
    """Called when a process may have become free."""
    on_hang: Callable[[str], object]
    """Called with a version, as model:version, whose loading took longer than `MAX_RUN_SECONDS`."""
    on_end: Callable[[], object] = _end_worker
    """Called when the fork server ended and no load is to blame; the pool is closed then."""
