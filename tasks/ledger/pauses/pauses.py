"""Versions that are paused: refused at the door, their messages parked, until a probe succeeds."""

from typing import cast

import msgspec
import redis

from tasks.ledger import keys, scripts
from tasks.ledger.dead_letters.letters import bounds
from tasks.settings import Settings
from telemetry.errors import VersionPaused

PROBE_LEASE = 60.0
"""Seconds after which another probe may go where one has not said anything."""
MINUTE = 60.0
"""Seconds in which dead letters are counted together."""
LONGEST_WAIT = 300.0
"""Seconds between two probes at most; each failure doubles the wait."""
WAIT_REMEMBERED = 600
"""Seconds after its end in which a pause counts as the one before the next; and after a failure
in which the next is in a row with it."""
MESSAGES_PER_STEP = 5000
"""Parked messages that go back to their queue in one step, which takes some 15 ms."""
PROBING = {
    "probe_lease": PROBE_LEASE,
    "wait_remembered": WAIT_REMEMBERED,
    "slice": MESSAGES_PER_STEP,
}
"""The constants of scripts that know of pauses."""


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Why a version is paused."""

    trigger: str
    """``failures``, ``dead_letters`` or ``operator``."""
    code: str
    """Of the last error; ``paused`` where an operator said so."""
    reason: str
    since: float
    """Unix seconds, Redis's."""
    probe_at: float | None = None
    """When the next message is let through as a probe; None where no probe ends it."""


class Paused(Pause, frozen=True, kw_only=True):
    """A version that is paused."""

    model: str
    """As model:version."""
    parked: int
    """Messages that wait for the end of the pause."""


_pause = msgspec.json.Decoder(Pause)


def breaker(settings: Settings) -> dict[str, float]:
    """The constants of the script that settles."""
    return {
        **PROBING,
        "minute": MINUTE,
        "longest_wait": LONGEST_WAIT,
        **bounds(settings),
        "dead_letters_per_minute": settings.dead_letters_per_minute,
        "breaker_failures": settings.breaker_failures,
        "probe_after": settings.probe_after,
    }


def refusal(version: str, answer: bytes) -> VersionPaused:
    """The error of a submission to a paused version, from what the script said."""
    _, seconds, why = answer.split(b" ", 2)
    reason = _pause.decode(why).reason
    return VersionPaused(f"{version} is paused: {reason}", retry_after=int(seconds))


class Pauses:
    """What an operator asks and says about pauses."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._pause = scripts.load(client, "pause", "messages", "pausing", **PROBING)
        self._resume = scripts.load(client, "resume", "messages", "pausing", **PROBING)

    def all(self) -> list[Paused]:
        """Every version that is paused."""
        found = cast("dict[bytes, bytes]", self._client.hgetall(keys.PAUSED))
        versions = sorted(version.decode() for version in found)
        with self._client.pipeline(transaction=False) as pipe:
            for version in versions:
                pipe.llen(keys.PARKED + version)
            parked = pipe.execute()
        return [
            Paused(
                model=version,
                parked=waiting,
                **msgspec.structs.asdict(_pause.decode(found[version.encode()])),
            )
            for version, waiting in zip(versions, parked, strict=True)
        ]

    def pause(self, version: str, reason: str) -> bool:
        """Pause a model:version until it is resumed; whether it was not paused before."""
        return bool(self._pause(args=[version, reason]))

    def resume(self, version: str) -> bool:
        """End the pause of a model:version, whatever began it; whether it was paused."""
        return bool(self._resume(args=[version]))
