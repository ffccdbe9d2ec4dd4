"""Which messages may share a batch."""

import math
from typing import NamedTuple

from workers.microbatch.message import Message

AMPLE = 4
"""The haste of limits from 8 s on: a usual batch takes a second, so none of them is in danger."""


class Group(NamedTuple):
    """What messages must share to share a batch."""

    reference: str
    method: str
    haste: int
    alone: str | None
    """The tag of a message that must be computed without company."""


def group_of(message: Message, alone: str | None) -> Group:
    """The group of a message."""
    return Group(message.reference, message.method, haste(message.limit), alone)


def haste(limit: float) -> int:
    """How short a limit of so many seconds is; those of equal haste differ by less than half.

    A batch ends with the shortest of its limits, so one that is far shorter than the others would
    have them computed twice.
    """
    _, exponent = math.frexp(limit)
    return min(exponent, AMPLE)
