"""Celery's pool interface to the worker's pool."""

from typing import Any, ClassVar

from celery.concurrency.base import BasePool

from workers.services import WorkerServices


class CeleryPool(BasePool):  # type: ignore[misc]  # Celery has no types
    """Starts and stops the pool when Celery says so; no task runs in it, see `workers.app`."""

    services: ClassVar[WorkerServices]
    """Set by `workers.app` in a class of its own, as Celery makes the instance."""

    def on_start(self) -> None:
        """Start the pool for the queue that this worker consumes."""
        self.services.start_pool(self.limit, ",".join(self.app.amqp.queues.consume_from))

    def register_with_event_loop(self, loop: Any) -> None:
        """Listen to all processes; Celery calls this at each reconnect."""
        self.services.pool.listen(loop)

    def on_close(self) -> None:
        """Stop replacing processes."""
        self.services.pool.close()

    def on_stop(self) -> None:
        """Close the connections: each process ends after its microbatch."""
        self.services.pool.stop()

    def on_terminate(self) -> None:
        """Kill every process."""
        self.services.pool.close()  # first: killed processes would be replaced
        self.services.pool.kill_all()
        self.services.pool.stop()

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """Kill the process of a running task, whatever the signal: a microbatch handles none."""
        self.services.pool.kill(pid)

    def _get_info(self) -> dict[str, Any]:
        return {**super()._get_info(), "processes": self.services.pool.pids}
