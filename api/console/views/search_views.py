"""The search: an id or the name of a model leads straight to its page."""

from contextlib import suppress
from uuid import UUID

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug import Response as Redirect

from api.batches.access import JobAccess
from api.callers.current import current_caller
from api.callers.seeing import seen
from api.console.rendering import Pages
from registry.store import Registry
from tasks.gateway import Gateway
from tasks.jobs.gateway import JobGateway
from telemetry.errors import PredictqError


class SearchViews:
    """The view."""

    def __init__(
        self, gateway: Gateway, jobs: JobGateway, registry: Registry, pages: Pages
    ) -> None:
        self._gateway, self._access = gateway, JobAccess(jobs)
        self._registry, self._pages = registry, pages

    def add_to(self, routes: Blueprint) -> None:
        """Add the route."""
        routes.get("/search")(self.search)

    def search(self) -> Response | Redirect:
        """Redirect to what was found, or say that there is nothing."""
        wanted = request.args.get("q", "").strip()
        address = self._model(wanted) or (self._by_id(wanted) if _is_id(wanted) else None)
        if address:
            return redirect(address, 303)
        status = 404 if wanted else 200
        return self._pages.show("search.html", "Search", status, wanted=wanted[:200])

    def _model(self, wanted: str) -> str | None:
        name = wanted.partition(":")[0]
        return url_for("console.model", name=name) if name in self._registry.models() else None

    def _by_id(self, wanted: str) -> str | None:
        with suppress(PredictqError):
            seen(current_caller(request), self._gateway.look_up(wanted))
            return url_for("console.prediction", task_id=wanted)
        with suppress(PredictqError):
            self._access.get(wanted)
            return url_for("console.batch", id=wanted)
        return None


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
