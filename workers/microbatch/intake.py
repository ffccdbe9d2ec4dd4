"""How messages come into the worker: over the channel of its current connection to the broker."""

from collections.abc import Callable
from typing import Any

from workers.microbatch.batch_size import MAX_BATCH_WAIT


class Intake:
    """Takes messages when a pool process becomes free. It outlives each connection."""

    def __init__(self) -> None:
        self._consume: Callable[[], object] = lambda: None
        self._timer: Any = None

    def open(self, consume: Callable[[], object], timer: Any) -> None:
        """Take messages by ``consume``, which belongs to a new connection, from now on.

        ``timer`` is that of Celery's event loop.
        """
        self._consume, self._timer = consume, timer

    def close(self) -> None:
        """Take no more messages, because the worker shuts down."""
        self._consume = lambda: None

    def take(self) -> None:
        """Take as many messages as the batcher has capacity for."""
        self._consume()

    def take_soon(self) -> None:
        """Take messages in `MAX_BATCH_WAIT` seconds, over the connection of that time."""
        # `self.take`, not the present `_consume`: the connection may be another one by then.
        self._timer.call_after(MAX_BATCH_WAIT, self.take)
