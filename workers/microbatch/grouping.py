"""Decides which messages may share a microbatch."""

import math
from typing import NamedTuple

from workers.microbatch.message import Message

MAX_LIMIT_CLASS = 4
"""Class of all limits from 8 s up: a usual microbatch takes a second, far less than any of them."""


class Group(NamedTuple):
    """Key of messages that may share a microbatch: all four fields must be equal."""

    reference: str | None
    method: str | None
    limit_class: int
    alone: str | None
    """Tag of a message that must run alone, else None."""


def group_of(message: Message, alone: str | None) -> Group:
    """The group of a message."""
    return Group(message.reference, message.method, limit_class(message.limit), alone)


def limit_class(limit: float) -> int:
    """The magnitude of a time limit: its binary exponent, capped at `MAX_LIMIT_CLASS`.

    A microbatch is ended at its shortest limit. If one limit were far shorter than the others, they
    would all be computed twice, so only limits within a factor of two share a microbatch.
    """
    _, exponent = math.frexp(limit)
    return min(exponent, MAX_LIMIT_CLASS)
