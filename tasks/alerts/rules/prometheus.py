"""The rules as Prometheus reads them."""

import json
import re
from collections.abc import Iterator

from tasks.alerts.rules.alert import Alert, all_alerts
from tasks.alerts.rules.conditions import BurnRate, BurnWindow, Condition, Threshold
from tasks.alerts.rules.selectors import Selector

HEAD = """\
# Made from tasks/alerts/rules/rules.toml: predictq alerts rules > deploy/prometheus/rules.yml
groups:
  - name: predictq
    rules:
"""
_FILTERS = {"count": "humanize", "seconds": "humanizeDuration", "share": "humanizePercentage"}
_placeholder = re.compile(r"\{(\w+)\}")


def prometheus_rules(console: str) -> str:
    """The file of rules, YAML. ``console``: address of the API, where runbooks are shown."""
    return HEAD + "".join(_rule(alert, console) for alert in all_alerts().values())


def prometheus_name(alert: Alert) -> str:
    """``no-worker`` is `PredictqNoWorker`, so that it stands out among those of other systems."""
    return "Predictq" + "".join(word.capitalize() for word in alert.name.split("-"))


def expression(condition: Condition) -> str:
    """A condition in PromQL."""
    if isinstance(condition, BurnRate):
        return " or ".join(f"({_burning(condition, window)})" for window in condition.windows)
    sign = ">" if condition.is_upper else "<"
    return f"{_left(condition)} {sign} {condition.bound:g}"


def _left(condition: Threshold) -> str:
    if condition.increase:
        return _increase(condition.metric, f"{condition.increase:.0f}s")
    by = f" by ({', '.join(condition.by)}) " if condition.by else ""
    left = f"max{by}({condition.metric.text})"
    return f"{left} / scalar(max({condition.over.text}))" if condition.over else left


def _burning(burn: BurnRate, window: BurnWindow) -> str:
    bound = f"> {window.factor:g} * {burn.budget:g}"
    long, short = (f"{_bad(burn, each)} {bound}" for each in (window.long, window.short))
    return f"{long} and {short} and {_increase(burn.total, window.long)} > {burn.floor:g}"


def _bad(burn: BurnRate, time: str) -> str:
    share = f"{_increase(burn.part, time)} / {_increase(burn.total, time)}"
    return f"1 - {share}" if burn.is_good else share


def _increase(counter: Selector, time: str) -> str:
    return f"sum(increase({counter.text}[{time}]))"


def _rule(alert: Alert, console: str) -> str:
    return "\n".join(
        [
            f"      - alert: {prometheus_name(alert)}",
            f"        expr: {json.dumps(expression(alert.condition))}",
            f"        for: {alert.duration}",
            f"        labels: {{service: predictq, severity: {alert.severity}}}",
            "        annotations:",
            *(f"          {name}: {json.dumps(text)}" for name, text in _told(alert, console)),
            "",
        ]
    )


def _told(alert: Alert, console: str) -> Iterator[tuple[str, str]]:
    yield "summary", _placeholder.sub(lambda found: _template(alert, found[1]), alert.summary)
    yield "description", alert.remedy
    yield "runbook_url", f"{console}/console/runbooks/{alert.runbook}"


def _template(alert: Alert, name: str) -> str:
    if name == "value":
        return f"{{{{ $value | {_FILTERS[alert.unit]} }}}}"
    return f"{{{{ $labels.{name} }}}}"
