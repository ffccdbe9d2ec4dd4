"""The pages of models: the list, one model with its versions, pause and resume."""

from flask import Blueprint, Response, request

from api.callers.current import current_caller
from api.console.notices import see_other
from api.console.pages.life import LifeLook
from api.console.pages.models import ModelRow, model_row
from api.console.rendering import Pages
from registry.names import parse_reference
from registry.store import Registry
from tasks.ledger.pauses.pauses import Pauses

MAX_PAUSE_REASON_CHARS = 500
MAX_SHOWN_COLUMNS = 200
"""Columns of a signature that the page shows."""


class ModelPages:
    """The views."""

    def __init__(self, registry: Registry, pauses: Pauses, life: LifeLook, pages: Pages) -> None:
        self._registry, self._pauses, self._pages = registry, pauses, pages
        self._life = life

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        routes.get("/models")(self.models)
        routes.get("/models/<name>")(self.model)
        routes.post("/models/<name>/<int:version>/pause")(self.pause)
        routes.post("/models/<name>/<int:version>/resume")(self.resume)

    def models(self) -> Response:
        """All models."""
        rows = [self._row(n) for n in filter(current_caller(request).sees, self._registry.models())]
        return self._pages.show("models.html", "Models", models=rows)

    def model(self, name: str) -> Response:
        """One model; raises `ModelNotFound`."""
        row = self._row(name)
        signature = row.shown.manifest.signature if row.shown else None
        life, most = self._life.look(name), MAX_SHOWN_COLUMNS
        return self._pages.show(
            "model.html", name, model=row, life=life, signature=signature, most=most
        )

    def pause(self, name: str, version: int) -> Response:
        """Pause a version; raises `VersionNotFound`."""
        reference = self._registry.resolve(f"{name}:{version}").manifest.reference
        reason = request.form.get("reason", "").strip()[:MAX_PAUSE_REASON_CHARS]
        self._pauses.pause(reference, reason or "paused in the console")
        return see_other(f"/console/models/{name}", "paused")

    def resume(self, name: str, version: int) -> Response:
        """End the pause of a version."""
        parse_reference(reference := f"{name}:{version}")
        self._pauses.resume(reference)
        return see_other(f"/console/models/{name}", "resumed")

    def _row(self, name: str) -> ModelRow:
        now = self._pages.picture.snapshot
        # Pauses are read anew: the picture is up to a second old, and a pause must show at once.
        return model_row(name, self._registry, now.statistics if now else (), self._pauses.all())
