"""A worker whose event loop can be blocked by a remote control command."""

import time
from typing import Any

from celery.worker.control import control_command

from workers.__main__ import main


@control_command()
def block_event_loop(state: Any) -> None:
    """Block the event loop for longer than any test waits."""
    time.sleep(600)


if __name__ == "__main__":
    main()
