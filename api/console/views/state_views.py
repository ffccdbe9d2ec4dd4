"""The pages that show the state of the whole stack: overview, queues, workers."""

from typing import Any

import msgspec
from flask import Blueprint, Response
from jinja2 import Environment

from api.console.live.load_series import BUCKET_SECONDS
from api.console.live.sampler import Picture, Sampler
from api.console.pages.overview import overview
from api.console.pages.queues import queue_rows
from api.console.rendering import Pages

FRAGMENTS = {
    "banner": "parts/banner.html",
    "state": "parts/state.html",
    "figures": "parts/figures.html",
    "queue-table": "parts/queue_table.html",
    "worker-table": "parts/worker_table.html",
}
"""Id of an element → the template of its content; the same in the first page and in events."""


class StateViews:
    """The views, and the fragments that keep them current."""

    def __init__(self, environment: Environment, sampler: Sampler, pages: Pages) -> None:
        self._sampler, self._pages = sampler, pages
        self._parts = {
            name: environment.get_template(template) for name, template in FRAGMENTS.items()
        }

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        routes.get("")(self.index)
        routes.get("/")(self.index)
        routes.get("/queues")(self.queues)
        routes.get("/workers")(self.workers)

    def index(self) -> Response:
        """The overview."""
        points = list(self._sampler.load_series.points)
        chart = [msgspec.structs.astuple(point) for point in points]
        return self._show("overview.html", "Overview", points=points, chart=chart)

    def queues(self) -> Response:
        """The queues."""
        return self._show("queues.html", "Queues")

    def workers(self) -> Response:
        """The workers."""
        return self._show("workers.html", "Workers")

    def fragments(self, picture: Picture) -> dict[str, str]:
        """Id of an element → its content now."""
        values = self._values(picture)
        return {name: part.render(values) for name, part in self._parts.items()}

    def _show(self, template: str, title: str, **values: Any) -> Response:
        picture = self._pages.picture
        return self._pages.show(template, title, **{**self._values(picture), **values})

    def _values(self, picture: Picture) -> dict[str, Any]:
        return {
            "picture": picture,
            "overview": overview(picture),
            "queues": queue_rows(picture, self._sampler.load_series),
            "bucket_seconds": BUCKET_SECONDS,
        }
