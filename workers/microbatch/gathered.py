"""The messages that wait for a pool process, in groups that may share a microbatch."""

import math
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from workers.microbatch.message import Message

MAX_BYTES = 8 * 2**20
"""Bytes of message bodies in one microbatch."""
MAX_GATHERED = 1024
"""Messages that may wait for versions to be loaded."""
MAX_GATHERED_BYTES = 8 * MAX_BYTES
"""Bytes of waiting message bodies at which the worker stops taking messages."""
MAX_LIMIT_CLASS = 4
"""Class of all limits from 8 s up: a usual microbatch takes a second, far less than any of them."""


class MicrobatchKey(NamedTuple):
    """Key of messages that may share a microbatch: all four fields must be equal."""

    reference: str | None
    method: str | None
    limit_class: int
    alone: str | None
    """Tag of a message that must run alone, else None."""


def limit_class(limit: float) -> int:
    """The magnitude of a time limit: its binary exponent, capped at `MAX_LIMIT_CLASS`.

    A microbatch is ended at its shortest limit. If one limit were far shorter than the others, they
    would all be computed twice, so only limits within a factor of two share a microbatch.
    """
    _, exponent = math.frexp(limit)
    return min(exponent, MAX_LIMIT_CLASS)


class GatheredMessages:
    """Reserved messages that no process computes.

    Iteration gives their groups, the one that has waited longest first.
    """

    def __init__(self) -> None:
        self._groups: dict[MicrobatchKey, deque[Message]] = {}
        self.bytes = 0
        """Bytes of all waiting bodies."""

    def __iter__(self) -> Iterator[MicrobatchKey]:
        # Over a copy: callers take from the groups and add to them meanwhile.
        return iter(list(self._groups))

    def __contains__(self, group: MicrobatchKey) -> bool:
        return group in self._groups

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def count(self, group: MicrobatchKey) -> int:
        """How many messages of a group wait."""
        return len(self._groups[group])

    def messages(self) -> Iterator[Message]:
        """All waiting messages, group by group."""
        for messages in self._groups.values():
            yield from messages

    def add(self, message: Message, *, alone: bool) -> None:
        """Let a message wait behind those of its group; if ``alone``, in a group of its own."""
        # A tag is unique, so a group with one has a single message.
        tag = message.tag if alone else None
        group = MicrobatchKey(message.reference, message.method, limit_class(message.limit), tag)
        self._groups.setdefault(group, deque()).append(message)
        self.bytes += len(message.body)

    def take(self, group: MicrobatchKey, max_rows: int) -> list[Message]:
        """The next microbatch of a group: as many as fit; an oversized request goes alone."""
        queue, rows, size = self._groups[group], 0, 0
        taken: list[Message] = []
        while queue:
            # The first is taken whatever its size, or it would wait for ever.
            rows, size = rows + queue[0].rows, size + len(queue[0].body)
            if taken and (rows > max_rows or size > MAX_BYTES):
                # Move the group to the end of the order, so that other groups go first.
                self._groups[group] = self._groups.pop(group)
                return taken
            taken.append(queue.popleft())
            self.bytes -= len(taken[-1].body)
        del self._groups[group]
        return taken

    def take_version(self, reference: str) -> list[tuple[MicrobatchKey, Message]]:
        """Remove all messages of a version, and return them with their groups."""
        groups = [group for group in self._groups if group.reference == reference]
        taken = [(group, message) for group in groups for message in self._groups.pop(group)]
        self.bytes -= sum(len(message.body) for _, message in taken)
        return taken

    def take_started(self) -> list[Message]:
        """Remove the messages that have started already, each in a group of its own."""
        started = [group for group in self if self._groups[group][0].is_started]
        return [message for group in started for message in self.take(group, 1)]

    def take_all(self) -> list[Message]:
        """Remove all messages, and return them."""
        taken = [*self.messages()]
        self._groups, self.bytes = {}, 0
        return taken
