"""The watch: evaluates the rules without Prometheus, and tells operators of what fires."""

import logging
import secrets
from collections.abc import Callable, Mapping
from itertools import chain

import redis

from tasks.alerts.rules.alert import Alert
from tasks.alerts.rules.conditions import MetricView
from tasks.alerts.rules.selectors import MetricSample, Selector
from tasks.alerts.watching.counts import CounterSums, CountPoint
from tasks.alerts.watching.notices import body, summary, title
from tasks.alerts.watching.scraping import REDIS_UP, UP
from tasks.alerts.watching.states import MAX_STATES, AlertState, States, advance, told, untold
from tasks.alerts.watching.store import AlertStore
from telemetry.log_throttle import LogThrottle

log = logging.getLogger(__name__)
Send = Callable[[str, str], bool]
"""Sends a title and a text to operators; whether they were told."""
Samples = Mapping[str, list[MetricSample]]


class _Scraped:
    """The metrics on which conditions are evaluated."""

    def __init__(self, samples: Samples, counts: CounterSums) -> None:
        self.samples, self._counts = samples, counts

    def increase(self, counter: Selector, seconds: float) -> float:
        return self._counts.increase(counter, seconds)


class Watch:
    """Evaluates all rules each time it looks, as long as it has the claim."""

    def __init__(
        self,
        alerts: Mapping[str, Alert],
        store: AlertStore,
        scrape: Callable[[], Samples],
        send: Send,
    ) -> None:
        """If ``send`` did not tell operators, the next look tries again."""
        self._alerts, self._store, self._scrape, self._send = alerts, store, scrape, send
        self._token = secrets.token_hex(8)
        self._counts: CounterSums | None = None
        self._states: dict[str, AlertState] = {}
        self._outage = LogThrottle()

    def look(self, now: float) -> None:
        """Evaluate the rules once. ``now``: Unix seconds."""
        counts = self._ours()
        if counts is None:
            return
        samples = self._scrape()
        point = counts.add(now, samples)
        self._states = self._tell(self._advance(_Scraped(samples, counts), now))
        self._write(point)

    def close(self) -> None:
        """Let another watch take over at once."""
        try:
            self._store.release(self._token)
        except redis.RedisError as error:
            log.info("the claim of the watch runs out by itself: %s", error)

    def _ours(self) -> CounterSums | None:
        """The counts, if this watch evaluates. Without Redis, the last watch that evaluated
        continues.
        """
        try:
            if not self._store.claim(self._token):
                self._counts = None  # read again if this watch takes over later
            elif self._counts is None:
                self._load()
        except redis.RedisError as error:
            self._missed(error)
        return self._counts

    def _load(self) -> None:
        self._states = self._store.states()
        counters = chain.from_iterable(each.condition.counters for each in self._alerts.values())
        self._counts = CounterSums(counters, self._store.points())

    def _advance(self, view: MetricView, now: float) -> dict[str, AlertState]:
        states: dict[str, AlertState] = {}
        for alert in self._alerts.values():
            if _is_blind(alert, view.samples):
                # Without a scrape, alerts that fire keep firing, and no other alert begins.
                states |= {s.key: s for s in self._states.values() if s.name == alert.name}
            else:
                states |= advance(self._states, alert, alert.condition.holds(view), now)
        return dict(list(states.items())[:MAX_STATES])

    def _tell(self, states: States) -> dict[str, AlertState]:
        news = untold(states.values())
        pairs = [(self._alerts[state.name], state) for state in news]
        for alert, state in pairs:
            before = self._states.get(state.key)
            if before is None or before.level != state.level:
                log.warning("alert %s %s: %s", alert.name, state.level, summary(alert, state))
        return told(states) if not news or self._send(title(news), body(pairs)) else dict(states)

    def _write(self, point: CountPoint | None) -> None:
        try:
            self._store.write(self._states, point)
        except redis.RedisError as error:
            self._missed(error)

    def _missed(self, error: redis.RedisError) -> None:
        if self._outage.count():
            log.warning("the states of alerts are not kept, as Redis does not answer: %s", error)


def _is_blind(alert: Alert, samples: Samples) -> bool:
    """Whether the scrape lacks the metrics of an alert because API or Redis do not answer."""
    (up,) = samples[UP]
    redis_up = samples.get(REDIS_UP)
    if up.value and redis_up and redis_up[0].value:
        return False
    return any(selector.name not in samples for selector in alert.condition.selectors)
