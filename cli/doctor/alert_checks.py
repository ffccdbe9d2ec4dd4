"""Checks of alerts: that a watch evaluates the rules, and what it has found."""

from functools import partial

from cli.doctor.finding import Check, Observation, listed
from stack.running import RunningStack
from tasks.alerts.rules.alert import all_alerts, runbook_path
from tasks.alerts.watching.store import AlertStore
from tasks.ledger.ledger import connect

_WATCH, _ALERTS = "docs/alerts.md#the-watch", "docs/alerts.md#what-is-watched"


def alert_checks(stack: RunningStack) -> list[Check]:
    """Checks of the alerts of a running stack."""
    store = AlertStore(connect(stack.redis_url))
    return [
        Check("watch", _WATCH, partial(_watch, store)),
        Check("alerts", _ALERTS, partial(_alerts, store)),
    ]


def _watch(store: AlertStore) -> Observation:
    if store.is_watched():
        return Observation("pass", f"evaluates {len(all_alerts())} rules")
    remedy = "Start `predictq watch`, unless Prometheus evaluates the rules."
    return Observation("warn", "no watch evaluates the alert rules", remedy)


def _alerts(store: AlertStore) -> Observation:
    firing = [all_alerts()[s.name] for s in store.open() if s.level == "firing"]
    if not firing:
        return Observation("pass", "none fires")
    names = listed([alert.name for alert in firing])
    # The worst comes first.
    remedy = f"Follow the runbook of {firing[0].name}: {runbook_path(firing[0].runbook)}."
    is_bad = firing[0].severity == "page"
    return Observation("fail" if is_bad else "warn", f"firing: {names}", remedy)
