"""The controller: a thread of each bulk worker that carries all rollouts on.

Any number of controllers may run. Each act holds the registry's write lock, and changes a rollout
only if it is as the controller has read it, so one of them acts and the others find it done. The
kernel takes the lock from a process that is killed.
"""

import logging
import threading
import time

import redis

from registry.history import Cause
from registry.rollouts.rollout import Rollout
from registry.rollouts.rollouts import Rollouts
from registry.store import Registry
from tasks.comparison.figures import Comparisons
from tasks.comparison.judging import Judging
from tasks.comparison.verdict import compared
from telemetry.errors import PredictqError
from telemetry.logs import of_version

log = logging.getLogger(__name__)
TICK_SECONDS = 0.5
"""Seconds between two looks at the rollouts."""
CONTROLLER = "the controller of rollouts"
"""The author of its changes in the history."""


class Controller:
    """Carries on the rollouts of a registry until it is told to stop."""

    def __init__(self, registry: Registry, client: redis.Redis) -> None:
        self._rollouts = Rollouts(registry)
        self._comparisons, self._judging = Comparisons(client), Judging(client)

    def run(self, over: threading.Event) -> None:
        """Look at all rollouts again and again, until ``over`` is set."""
        while not over.wait(TICK_SECONDS):
            try:
                self.tick()
            except OSError as error:
                log.warning("rollouts cannot be carried on: %s", error)

    def tick(self) -> None:
        """Do what is due now for each rollout."""
        for rollout in self._rollouts.unfinished():
            try:
                self._carry_on(rollout)
            except redis.RedisError:  # the worker's own connection says so in the log
                continue
            except PredictqError as error:
                log.warning(
                    "a rollout cannot be carried on: %s",
                    error,
                    extra=of_version(f"{rollout.model}:{rollout.version}"),
                )

    def _carry_on(self, rollout: Rollout) -> None:
        rollout = self._rollouts.settle(rollout)
        if not rollout.is_live:
            return
        if not rollout.step:
            self._begin(rollout)
            return
        verdict = self._judging.judge(rollout.split, compared(rollout))
        cause = Cause(CONTROLLER, verdict.why)
        if verdict.decision == "roll_back":
            self._rollouts.roll_back(rollout, cause)
        elif verdict.decision == "promote" and _is_over(rollout):
            self._rollouts.advance(rollout, cause)

    def _begin(self, rollout: Rollout) -> None:
        if rollout.status == "running":
            self._comparisons.clear(rollout.split)
            self._rollouts.advance(rollout, Cause(rollout.by, rollout.why))


def _is_over(rollout: Rollout) -> bool:
    """Whether the present step has lasted long enough."""
    return rollout.status == "running" and time.time() - rollout.since >= rollout.every_seconds
