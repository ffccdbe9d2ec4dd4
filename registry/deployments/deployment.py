"""A deployment: the queue and the workers that one alias of a model has of its own."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

MAX_CONCURRENCY = 256
MAX_DEPLOYMENTS = 32
"""Deployments in one registry: each has a worker, a queue, and labels in metrics."""
MIN_PROCESS_BYTES = 2**28
"""Least memory of one process, as that of `PREDICTQ_PREDICTION_MEMORY`."""
QUEUE_PREFIX = "predict:"
"""The prefix of the names of their queues."""

PRODUCTION = "production"
"""The environment that is meant where none is named."""

Concurrency = Annotated[int, msgspec.Meta(ge=1, le=MAX_CONCURRENCY)]
MemoryLimit = Annotated[int, msgspec.Meta(ge=MIN_PROCESS_BYTES, le=2**50)]
CpuLimit = Annotated[float, msgspec.Meta(gt=0, le=1024)]
ComputeLimit = Annotated[float, msgspec.Meta(ge=0.05, le=300)]
WhenStopped = Literal["refuse", "wait"]
WantedState = Literal["running", "stopped"]


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """The wanted state of a deployment. The supervisor of a stack establishes it, and `status`
    shows the progress.
    """

    model: str
    environment: str
    """The alias whose requests it computes."""
    state: WantedState = "running"
    concurrency: Concurrency = 1
    """Processes that compute, one request or microbatch at a time each."""
    memory_limit: MemoryLimit | None = None
    """Bytes that its processes may take together beyond the loaded model; null for the default."""
    cpu_limit: CpuLimit | None = None
    """Processors that its processes may use; null for all."""
    timeout: ComputeLimit | None = None
    """Most seconds that a prediction may compute; null for the limits of version and request."""
    when_stopped: WhenStopped = "refuse"
    """What to do with requests while it is stopped: answer 503, or let them wait in its queue."""

    @property
    def reference(self) -> str:
        """``model@environment``."""
        return f"{self.model}@{self.environment}"

    @property
    def queue(self) -> str:
        """The name of its queue."""
        return QUEUE_PREFIX + self.reference

    @property
    def refuses(self) -> bool:
        """Whether it accepts no requests now."""
        return self.state == "stopped" and self.when_stopped == "refuse"

    @property
    def process_bytes(self) -> int | None:
        """Bytes by which each of its processes may grow."""
        return self.memory_limit and self.memory_limit // self.concurrency


class Scaling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of a deployment to change; those that are left out do not change."""

    concurrency: Concurrency | UnsetType = UNSET
    memory_limit: MemoryLimit | UnsetType | None = UNSET
    cpu_limit: CpuLimit | UnsetType | None = UNSET
    timeout: ComputeLimit | UnsetType | None = UNSET
    when_stopped: WhenStopped | UnsetType = UNSET


def environment_of(queue: str) -> str | None:
    """The environment of a deployment's queue; None for any other queue."""
    return queue.rpartition("@")[2] if queue.startswith(QUEUE_PREFIX) else None


def model_of(queue: str) -> str | None:
    """The model of a deployment's queue; None for any other queue."""
    return queue.removeprefix(QUEUE_PREFIX).partition("@")[0] if environment_of(queue) else None
