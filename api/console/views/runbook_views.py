"""The runbooks of alerts."""

from flask import Blueprint, Response

from api.console.pages.runbooks import runbook_blocks
from api.console.rendering import Pages
from tasks.alerts.rules.alert import all_alerts, runbook_text
from telemetry.errors import NotFound


class RunbookViews:
    """The view."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def add_to(self, routes: Blueprint) -> None:
        """Add the route."""
        routes.get("/runbooks/<name>")(self.runbook)

    def runbook(self, name: str) -> Response:
        """The runbook of an alert, with the rules that lead to it."""
        alerts = [alert for alert in all_alerts().values() if alert.runbook == name]
        if not alerts:
            raise NotFound(f"there is no runbook {name[:200]!r}")
        blocks = runbook_blocks(runbook_text(name))
        return self._pages.show("runbook.html", name, name=name, alerts=alerts, blocks=blocks)
