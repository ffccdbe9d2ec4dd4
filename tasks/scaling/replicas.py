"""How many replicas of its worker a queue needs, and why.

A process that is always busy lets requests wait, so it should be busy for `MOST_BUSY` of the time
at most. What waits already needs more processes, so that it is computed within the wanted wait.
"""

import math
import re
from typing import Annotated

import msgspec

from tasks.scaling.demand import Demand
from telemetry.errors import Invalid

MOST_BUSY = 0.8
"""Share of the time for which processes may be busy on average; above it, more are wanted."""
LEAST_BUSY = 0.6
"""Fewer are wanted only if those that stay would be busy for less than this share. The gap keeps a
demand that varies a little from changing the number again and again."""
MOST_REPLICAS = 10_000
_RANGE = re.compile(r"([1-9]\d{0,3})\.\.([1-9]\d{0,3})")
Replicas = Annotated[int, msgspec.Meta(ge=0, le=MOST_REPLICAS)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=MOST_REPLICAS)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]


class ReplicaBounds(msgspec.Struct, frozen=True, kw_only=True):
    """Between which numbers, and for what."""

    min: Replicas = 1
    max: Positive = 10
    each: Positive = 1
    """Processes of one replica."""
    wait: Seconds = 1.0
    """Seconds within which waiting rows should be computed."""

    def __post_init__(self) -> None:
        if self.min > self.max:
            raise Invalid(f"min is {self.min}, which is more than max, {self.max}")


def bounds_of(text: str, wait: float) -> ReplicaBounds:
    """The bounds of ``1..8``; raises `ValueError` or `Invalid` for another text."""
    if not (found := _RANGE.fullmatch(text)):
        raise ValueError(f"{text!r} is no range such as 1..8")
    return ReplicaBounds(min=int(found[1]), max=int(found[2]), wait=wait)


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """The replicas that a queue needs now."""

    queue: str
    replicas: int
    """How many are wanted, within the bounds."""
    reason: str
    """Why, in words."""
    bounds: ReplicaBounds
    demand: Demand


def scale_of(queue: str, demand: Demand, bounds: ReplicaBounds) -> Scale:
    """The replicas for a demand."""
    processes, why = wanted_processes(demand, bounds.wait)
    wanted = math.ceil(processes / bounds.each)
    replicas = min(max(wanted, bounds.min), bounds.max)
    if replicas != wanted:
        word, bound = ("least", "min") if replicas > wanted else ("most", "max")
        why += f"; that is {_count(wanted, 'replica')}, and {bound} allows {replicas} at {word}"
    return Scale(queue=queue, replicas=replicas, reason=why, bounds=bounds, demand=demand)


def wanted_processes(demand: Demand, wait: float) -> tuple[int, str]:
    """How many processes a demand needs, whatever the bounds, and why."""
    if not demand.processes:
        return _without_processes(demand)
    late = _for_waiting(demand, wait)
    up = math.ceil(_precise(demand.busy / MOST_BUSY + late))
    down = math.ceil(_precise(demand.busy / LEAST_BUSY + late))
    wanted = max(up, min(down, demand.processes))
    return wanted, f"{_described(demand, late, wait)}, so {_count(wanted, 'process', 'es')}"


def _without_processes(demand: Demand) -> tuple[int, str]:
    waiting = _count(demand.rows_waiting, "row")
    if not demand.rows_waiting:
        return 0, "nothing waits, and no process is ready"
    if demand.workers:
        return 1, f"{waiting} waiting for a worker that loads its first models"
    return 1, f"{waiting} waiting, and no worker"


def _for_waiting(demand: Demand, wait: float) -> float:
    """Processes that compute what waits within ``wait`` seconds; 0 while their speed is unknown."""
    if not demand.rows_per_second:
        return 0.0
    # More processes than messages would have nothing to compute.
    return min(demand.rows_waiting / demand.rows_per_second / wait, demand.messages_waiting)


def _described(demand: Demand, late: float, wait: float) -> str:
    busy = f"{demand.busy:.1f} of {_count(demand.processes, 'process', 'es')} busy"
    if not demand.rows_waiting:
        return f"{busy}, nothing waits"
    waiting = f"{busy}, {_count(demand.rows_waiting, 'row')} waiting"
    if demand.rows_per_second is None:
        return f"{waiting}, and no microbatch has been measured yet"
    speed = f"{demand.rows_per_second:,.1f} rows/s of a process"
    return f"{waiting}; at {speed}, {late:.1f} more compute these within {wait:g} s"


def _precise(number: float) -> float:
    """A number without the error of its last digits, which would round it up."""
    return round(number, 6)


def _count(number: int, one: str, more: str = "s") -> str:
    return f"{number:,} {one}{'' if number == 1 else more}"
