"""The pages of predictions: those without an outcome, and one by its id."""

from flask import Blueprint, Response, request

from api.callers.current import current_caller
from api.callers.seeing import seen
from api.console.notices import see_other
from api.console.pages.predictions import WAITS, as_curl, as_python, life, shown_answer
from api.console.rendering import Pages
from api.console.session.viewer import is_signed_in
from tasks.gateway import QUEUE, Gateway
from tasks.ledger.queue.listing import OpenIds
from tasks.record import Record

MOST_LISTED = 50
"""Predictions in each list."""
MAX_LIST_BYTES = 2**20
"""Bytes of records that are read for a list."""


class PredictionViews:
    """The views. Ids lead to outcomes, so only signed-in viewers see lists of them."""

    def __init__(self, gateway: Gateway, pages: Pages) -> None:
        self._gateway = gateway
        self._open = OpenIds(gateway.ledger.client)
        self._pages = pages

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        routes.get("/predictions")(self.predictions)
        routes.get("/predictions/<task_id>")(self.prediction)
        routes.post("/predictions/<task_id>/cancel")(self.cancel)

    def predictions(self) -> Response:
        """The predictions without an outcome."""
        signed_in = is_signed_in()
        waiting = self._open.queued(QUEUE, MOST_LISTED) if signed_in else []
        reserved = self._open.reserved(QUEUE, MOST_LISTED) if signed_in else []
        return self._pages.show(
            "predictions.html",
            "Predictions",
            waiting=self._records(waiting),
            reserved=self._records(reserved),
            most=MOST_LISTED,
        )

    def prediction(self, task_id: str) -> Response:
        """One prediction; raises as `Gateway.look_up`."""
        record = self._seen(task_id)
        self._gateway.queue_estimates.freshen(record)
        return self._pages.show(
            "prediction.html",
            "Prediction",
            record=record,
            steps=life(record),
            estimate=self._gateway.queue_estimates.of(record),
            waits=WAITS,
            answer=shown_answer(record),
            traceback=record.traceback if is_signed_in() else None,
            curl=as_curl(request.host_url, task_id),
            python=as_python(request.host_url, task_id),
        )

    def cancel(self, task_id: str) -> Response:
        """Cancel a prediction."""
        self._seen(task_id)
        self._gateway.cancel(task_id)
        return see_other(f"/console/predictions/{task_id}", "cancelled")

    def _seen(self, task_id: str) -> Record:
        return seen(current_caller(request), self._gateway.look_up(task_id))

    def _records(self, task_ids: list[str]) -> list[Record]:
        found = self._gateway.ledger.records(task_ids, MAX_LIST_BYTES) if task_ids else []
        return [record for record in found if record is not None]
