"""Consumer step that has the pool of this worker follow its queue."""

from typing import Any

from celery import bootsteps

from tasks.messages import PREDICT_QUEUE
from tasks.scaling.replicas import bounds_of
from workers.autoscaling import Autoscaling
from workers.heartbeat import HEARTBEAT_SECONDS
from workers.services import WorkerServices


class ScalingStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Looks at the queue as often as heartbeats tell of the demand."""

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, consumer: Any, *, services: WorkerServices, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._services = services
        self._entry: Any = None

    def include_if(self, consumer: Any) -> bool:
        """Include this step only in workers of the shared queue, and only if it is asked for."""
        is_shared = PREDICT_QUEUE in consumer.app.amqp.queues.consume_from
        if not (is_shared and self._services.settings.autoscale):
            return False
        settings, pool = self._services.settings, self._services.pool
        bounds = bounds_of(settings.autoscale, settings.scale_wait)
        self._scaling = Autoscaling(self._services.client, pool, PREDICT_QUEUE, bounds)
        return True

    def start(self, consumer: Any) -> None:
        """Look at every interval; Celery calls this at each connection to the broker."""
        self._entry = consumer.timer.call_repeatedly(HEARTBEAT_SECONDS, self._scaling.look)

    def stop(self, consumer: Any) -> None:
        """Stop looking."""
        if self._entry is not None:
            self._entry.cancel()
