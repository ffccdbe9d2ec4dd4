"""Celery's pool interface to the worker's pool."""

from typing import Any, ClassVar

from celery.concurrency.base import BasePool

from workers.parts import WorkerParts


class CeleryPool(BasePool):  # type: ignore[misc]  # Celery has no types
    """Starts and stops the pool when Celery says so; no task runs in it, see `workers.app`."""

    parts: ClassVar[WorkerParts]
    """Set by `workers.app` in a class of its own, as Celery makes the instance."""

    def on_start(self) -> None:
        """Start the pool for the queue that this worker consumes."""
        self.parts.start_pool(self.limit, ",".join(self.app.amqp.queues.consume_from))

    def register_with_event_loop(self, loop: Any) -> None:
        """Listen to all processes; Celery calls this at each reconnect."""
        self.parts.pool.listen(loop)

    def on_close(self) -> None:
        """Replace no more processes."""
        self.parts.pool.close()

    def on_stop(self) -> None:
        """Hang up: each process ends after its microbatch."""
        self.parts.pool.stop()

    def on_terminate(self) -> None:
        """Kill every process."""
        self.parts.pool.close()  # first: killed processes would be replaced
        self.parts.pool.kill_all()
        self.parts.pool.stop()

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """Kill the process of a running task, whatever the signal: a microbatch handles none."""
        self.parts.pool.kill(pid)

    def _get_info(self) -> dict[str, Any]:
        return {**super()._get_info(), "processes": self.parts.pool.pids}
