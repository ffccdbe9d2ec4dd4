"""Paused versions: submissions are refused and messages parked until a probe succeeds."""

from typing import cast

import msgspec
import redis

from tasks.ledger import keys
from tasks.ledger.script_constants import PROBING
from tasks.ledger.scripts import load_script
from telemetry.errors import VersionPaused


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """A pause and its cause, as stored."""

    trigger: str
    """``failures``, ``dead_letters`` or ``operator``."""
    code: str
    """Code of the last error; ``paused`` for an operator's pause."""
    reason: str
    since: float
    """Unix seconds by Redis's clock."""
    probe_at: float | None = None
    """Redis's seconds at which the next probe is sent; None if only an operator ends the pause."""


class Paused(Pause, frozen=True, kw_only=True):
    """A paused version."""

    model: str
    """``model:version``."""
    parked: int
    """Messages parked."""


_pause = msgspec.json.Decoder(Pause)


def paused_error(version: str, seconds: int, pause: bytes) -> VersionPaused:
    """The error for a submission to a paused version.

    ``seconds`` until the next probe, and the ``pause`` as stored: both as scripts answer.
    """
    reason = _pause.decode(pause).reason
    return VersionPaused(f"{version} is paused: {reason}", retry_after=seconds)


class Pauses:
    """Lists, begins and ends pauses for an operator."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._pause = load_script(client, "ledger.pauses.pause", **PROBING)
        self._resume = load_script(client, "ledger.pauses.resume", **PROBING)

    def all(self) -> list[Paused]:
        """All paused versions, sorted by model:version."""
        found = cast("dict[bytes, bytes]", self._client.hgetall(keys.PAUSED))
        versions = sorted(version.decode() for version in found)
        # Without a transaction: a count that is a moment younger than the list does no harm.
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
        """Pause a model:version until it is resumed; False if it was paused already."""
        return bool(self._pause(args=[version, reason]))

    def resume(self, version: str) -> bool:
        """End the pause of a model:version, whatever its cause; False if it was not paused."""
        return bool(self._resume(args=[version]))
