"""Ghosts: data in Redis of versions that the registry no longer has."""

from typing import cast

import msgspec
import redis

from tasks.ledger import keys
from tasks.ledger.dead_letters.letters import DeadLetters, Filter
from tasks.ledger.script_constants import PROBING, dead_letter_bounds
from tasks.ledger.scripts import load_script
from tasks.settings import Settings

LETTERS_PER_LOOK = 1000
"""Dead letters scanned in one round trip."""


class RemovedGhost(msgspec.Struct, frozen=True):
    """What was removed with a ghost."""

    letters: int
    """Dead letters deleted."""
    parked: int
    """Parked messages returned to their queue, where they fail."""


class Ghosts:
    """Finds ghosts and removes their data."""

    def __init__(self, client: redis.Redis, settings: Settings) -> None:
        self._client = client
        self._letters = DeadLetters(client, settings)
        self._remove = load_script(
            client, "remove_ghost", **PROBING, **dead_letter_bounds(settings)
        )

    def remove(self, version: str) -> RemovedGhost:
        """Delete a model:version's pause, failure counts, statistics and dead letters.

        Its parked messages go back to their queue. The registry must have removed it before.
        """
        letters, parked, at = 0, 0, cast("int | None", 0)
        while at is not None:
            deleted, returned, at = self._remove(args=[version, at, LETTERS_PER_LOOK])
            letters, parked = letters + deleted, parked + returned
        return RemovedGhost(letters, parked)

    def known(self) -> set[str]:
        """Every model:version that Redis has data of, as spelled by its writers."""
        paused = cast("list[bytes]", self._client.hkeys(keys.PAUSED))
        answered = cast("set[bytes]", self._client.smembers(keys.ANSWERED))
        # A version that only ever failed to load has letters and no statistics.
        of_letters = {letter.model for letter in self._letters.find(Filter())}
        return {version.decode(errors="replace") for version in {*paused, *answered}} | of_letters
