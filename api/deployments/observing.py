"""The states of deployments, from their queues and the heartbeats of workers."""

from typing import Any, Literal

import msgspec

from registry.deployments.deployment import Deployment
from registry.splits import Meaning
from registry.store import Registry
from tasks.ledger.ledger import Ledger
from tasks.ledger.queue.deployed import DeployedQueues
from tasks.ledger.queue.queue_snapshot import QueueSnapshots
from tasks.record import State

DeploymentProgress = Literal["starting", "running", "scaling", "stopping", "stopped"]


class DeploymentState(Deployment, frozen=True, kw_only=True):
    """A deployment and its state."""

    version: Meaning
    """The version that its alias means, or the percent of each version of a split."""
    status: DeploymentProgress
    """`starting` while no process is ready, `scaling` while there are others than `concurrency`,
    `stopping` while a worker of it still lives."""
    queue_name: str
    """The queue that its workers consume."""
    processes: int
    """Pool processes that are ready to compute."""
    workers: tuple[str, ...]
    waiting: int
    """Messages in its queue."""
    oldest_seconds: float | None
    """Seconds that the oldest of them has waited; null if there is none."""
    outcomes: dict[State, int]
    """Outcomes that its workers have written since it was made."""


class Observing:
    """Reads the states of deployments; raises `redis.RedisError` without Redis."""

    def __init__(self, registry: Registry, ledger: Ledger) -> None:
        self._registry = registry
        self._snapshots = QueueSnapshots(ledger.client)
        self._queues = DeployedQueues(ledger.client)

    def state(self, deployment: Deployment) -> DeploymentState:
        """The state of a deployment."""
        now = self._snapshots.of(deployment.queue)
        processes = sum(worker["processes"] for worker in now.workers)
        return DeploymentState(
            **msgspec.structs.asdict(deployment),
            version=self._registry.aliases(deployment.model)[deployment.environment],
            status=progress(deployment, now.workers, processes),
            queue_name=deployment.queue,
            processes=processes,
            workers=tuple(worker["name"] for worker in now.workers),
            waiting=now.depth,
            oldest_seconds=now.oldest,
            outcomes=self._queues.outcomes(deployment.queue),
        )


def progress(
    deployment: Deployment, workers: list[dict[str, Any]], processes: int
) -> DeploymentProgress:
    """The status of a deployment, by the workers that consume its queue."""
    if deployment.state == "stopped":
        return "stopping" if workers else "stopped"
    if not processes:
        return "starting"
    return "running" if processes == deployment.concurrency else "scaling"
