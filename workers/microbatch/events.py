"""Reports each prediction to Celery, so that Flower and `celery inspect` show it by its own id."""

import time
from collections.abc import Callable
from typing import Any

from celery.worker import state
from celery.worker.request import Request

from workers.protocol import Disposition

COLLECT_SECONDS = 0.05
"""Seconds for which events are collected: one send costs as much as a dozen events."""
PROBE_SECONDS = 1.0
"""Seconds between two looks whether anyone listens, while no one does."""
EVENT_EXCHANGE, TASK_EVENTS = "celeryev", "task."
"""Where Celery publishes events, and how the routing keys of task events begin."""


class Deferred:
    """Calls a function `COLLECT_SECONDS` after a request, once for all requests in that time."""

    def __init__(self, timer: Any, call: Callable[[], object]) -> None:
        self._timer, self._call = timer, call
        self._is_due = False

    def __call__(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._timer.call_after(COLLECT_SECONDS, self._run)

    def _run(self) -> None:
        self._is_due = False
        self._call()


class EventSender:
    """Keeps Celery's task state, and sends its task events while anyone listens.

    Redis answers each publication with the number of its receivers. Three events of a prediction
    cost about 40 µs, so without receivers only an empty list is sent, once a second.
    """

    def __init__(self) -> None:
        self._dispatcher: Any = None
        self._looking: Any = None
        self._is_heard = False

    def attach(self, dispatcher: Any, timer: Any) -> None:
        """Send with the dispatcher of a new connection; it is None in a worker that sends none."""
        self._dispatcher, self._is_heard = dispatcher, False
        # The timer of the last connection would send over a connection that is closed.
        if self._looking is not None:
            self._looking.cancel()
        if dispatcher is not None:
            self._looking = timer.call_repeatedly(PROBE_SECONDS, self.look)
            # Stock Celery flushes at every turn of its loop, or every two dozen events.
            dispatcher.buffer_limit = 10_000
            dispatcher.on_send_buffered = Deferred(timer, dispatcher.flush)

    def look(self) -> None:
        """Send an empty list of task events, if no one listened to the last ones."""
        dispatcher = self._dispatcher
        if not self._is_heard and dispatcher is not None and dispatcher.enabled:
            dispatcher.producer.publish(
                [],
                exchange=dispatcher.exchange.name,
                routing_key=f"{TASK_EVENTS}multi",
                serializer=dispatcher.serializer,
                headers=dispatcher.headers,
            )

    def published(self, exchange: str, routing_key: str, receivers: int) -> None:
        """Note how many received a publication."""
        if exchange == EVENT_EXCHANGE and routing_key.startswith(TASK_EVENTS):
            self._is_heard = receivers > 0

    def flush(self) -> None:
        """Send the events that were collected."""
        if self._dispatcher is not None:
            self._dispatcher.flush()

    def received(self, request: Request) -> None:
        """Report that a message was reserved."""
        state.task_reserved(request)
        self._send(
            "received",
            request,
            name=request.name,
            args=request.argsrepr,
            kwargs=request.kwargsrepr,
            root_id=request.root_id or request.id,
            parent_id=request.parent_id,
            retries=0,
        )

    def started(self, request: Request, pid: int | None) -> None:
        """Report that the microbatch of a message was given to the process ``pid``."""
        request.worker_pid, request.time_start = pid, time.time()
        state.task_accepted(request)
        self._send("started", request)

    def finished(self, request: Request, disposition: Disposition, seconds: float) -> None:
        """Report what became of a message; ``seconds`` is the run time of its microbatch."""
        state.task_ready(request)
        why = {"exception": disposition.error, "traceback": disposition.traceback}
        match disposition.kind:
            case "succeeded":
                # Without the predictions, which may be megabytes: the record has them.
                self._send("succeeded", request, result="", runtime=seconds)
            case "failed":
                self._send("failed", request, **why)
            case "retrying":
                self._send("retried", request, **why)
            case "cancelled" | "expired":
                self._send("revoked", request, expired=disposition.kind == "expired")

    def _send(self, kind: str, request: Request, **fields: Any) -> None:
        if self._is_heard and self._dispatcher is not None and self._dispatcher.enabled:
            self._dispatcher.send(f"task-{kind}", uuid=request.id, **fields)
