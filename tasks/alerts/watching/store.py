"""The state of the watch in Redis: states of alerts, counts, and the claim of the watch that
evaluates.
"""

from typing import cast

import msgspec
import redis

from tasks.alerts.rules.alert import all_alerts
from tasks.alerts.watching.counts import MAX_COUNT_POINTS, CountPoint
from tasks.alerts.watching.states import AlertState, States
from tasks.ledger import keys
from tasks.ledger.scripts import load_script

CLAIM_SECONDS = 60
"""Seconds after which another watch takes over from one that was killed."""
_points = msgspec.json.Decoder(CountPoint)
_states = msgspec.json.Decoder(AlertState)


class AlertStore:
    """Reads and writes it; every method raises `redis.RedisError`."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._claim = load_script(client, "alerts.watching.claim")

    def claim(self, token: str) -> bool:
        """Claim the evaluation of the rules, or renew the claim; whether this token has it now."""
        return bool(self._claim(keys=[keys.ALERTS_WATCHED], args=[token, CLAIM_SECONDS]))

    def release(self, token: str) -> None:
        """Give the claim back, if this token has it."""
        if self.claim(token):
            self._client.delete(keys.ALERTS_WATCHED)

    def is_watched(self) -> bool:
        """Whether a watch evaluates the rules."""
        return bool(self._client.exists(keys.ALERTS_WATCHED))

    def states(self) -> dict[str, AlertState]:
        """The states of alerts that are pending or firing, or over and not told of."""
        found = cast("dict[bytes, bytes]", self._client.hgetall(keys.ALERTS))
        return {key.decode(): _states.decode(text) for key, text in found.items()}

    def open(self) -> list[AlertState]:
        """Alerts that fire or are pending, most severe first, without those whose rule no longer
        exists.
        """
        known = all_alerts()
        found = [s for s in self.states().values() if s.level != "over" and s.name in known]
        return sorted(found, key=lambda s: (s.level, known[s.name].severity, s.since))

    def points(self) -> list[CountPoint]:
        """The counts of the last days, in order of time."""
        found = cast("list[bytes]", self._client.lrange(keys.ALERT_COUNTS, 0, -1))
        return [_points.decode(text) for text in found]

    def write(self, states: States, point: CountPoint | None) -> None:
        """Replace the states, and add a point."""
        with self._client.pipeline(transaction=True) as pipe:
            pipe.delete(keys.ALERTS)
            if states:
                encoded = {key: msgspec.json.encode(state) for key, state in states.items()}
                pipe.hset(keys.ALERTS, mapping=encoded)  # type: ignore[arg-type]  # bytes are fine
            if point is not None:
                pipe.rpush(keys.ALERT_COUNTS, msgspec.json.encode(point))
                pipe.ltrim(keys.ALERT_COUNTS, -MAX_COUNT_POINTS, -1)
            pipe.execute()
