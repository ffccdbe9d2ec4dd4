"""The page on which a model is asked: the form, then the prediction and its answer."""

from typing import Any

import msgspec
from flask import Blueprint, Response, request

from api.callers.current import current_caller
from api.callers.seeing import check_seen, seen
from api.console.pages.predictions import shown_answer
from api.console.pages.trying import curl_of, features_of, fields_of
from api.console.rendering import Pages
from api.predictions.submission import parse_submission, prepare_prediction
from registry.manifest import Manifest
from registry.store import Registry
from tasks.gateway import Gateway
from tasks.record import Record
from tasks.settings import Settings
from telemetry.errors import Malformed, PredictqError


class TryViews:
    """The views. Nothing waits in them: the page asks for the answer until it is there."""

    def __init__(
        self, gateway: Gateway, registry: Registry, settings: Settings, pages: Pages
    ) -> None:
        self._gateway, self._registry = gateway, registry
        self._settings, self._pages = settings, pages

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        routes.get("/try/<model>")(self.try_form)
        routes.post("/try/<model>")(self.try_row)
        routes.get("/answers/<task_id>")(self.answer)

    def try_form(self, model: str) -> Response:
        """The form; raises as `Registry.resolve`."""
        return self._show(self._manifest(model), model, {})

    def try_row(self, model: str) -> Response:
        """Submit what the form holds, and show the form again with the prediction."""
        typed, manifest = request.form.to_dict(), self._manifest(model)
        try:
            body = _body(model, manifest, typed)
            record = self._submit(body)
        except PredictqError as error:
            return self._show(manifest, model, typed, status=422, error=error)
        return self._show(
            manifest, model, typed, record=record, curl=curl_of(request.host_url, body)
        )

    def answer(self, task_id: str) -> Response:
        """The part of the page that shows the answer, alone."""
        record = seen(current_caller(request), self._gateway.look_up(task_id))
        return self._pages.show(
            "parts/answer.html", "Answer", record=record, answer=shown_answer(record)
        )

    def _manifest(self, model: str) -> Manifest:
        check_seen(current_caller(request), model)
        return self._registry.resolve(model).manifest

    def _submit(self, body: bytes) -> Record:
        submission = parse_submission(body, self._settings.max_rows)
        prediction = prepare_prediction(
            submission, self._registry, self._settings, current_caller(request)
        )
        return self._gateway.submit(prediction)

    def _show(
        self, manifest: Manifest, model: str, typed: dict[str, str], status: int = 200, **seen: Any
    ) -> Response:
        fields, methods = fields_of(manifest, typed), manifest.signature.methods
        shown = {"record": None, "curl": "", "error": None, "answer": "", **seen}
        return self._pages.show(
            "try.html",
            f"Try {model}",
            status,
            model=model,
            manifest=manifest,
            fields=fields,
            methods=methods,
            method=typed.get("method", manifest.signature.main),
            pasted=typed.get("json", ""),
            **shown,
        )


def _body(model: str, manifest: Manifest, typed: dict[str, str]) -> bytes:
    """The request that the form stands for; raises `Malformed`."""
    method = typed.get("method", manifest.signature.main)
    sent = {"model": model, "features": features_of(manifest, typed), "method": method}
    try:
        return msgspec.json.encode(sent)
    except UnicodeEncodeError as error:
        raise Malformed from error
