"""A worker with a fault: at a word of remote control its loop stands still."""

import time
from typing import Any

from celery.worker.control import control_command

from workers.app import app

__all__ = ["app"]


@control_command()  # type: ignore[untyped-decorator]  # Celery has no types
def stand_still(state: Any) -> None:
    """For longer than any test waits."""
    time.sleep(600)
