"""Models are uploaded over HTTP; a worker's gate decides whether they become versions."""

import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b

import msgspec
import redis
from flask import Blueprint, Response, request
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from api.callers.current import current_caller, require_scope
from api.callers.seeing import check_seen
from api.http.prefer import PREFERENCE_APPLIED, parse_prefer
from api.http.responses import json_response
from api.limits.concurrency import ConcurrencyLimit
from api.models.changing import changing
from api.models.model_form import ModelForm
from api.predictions.submission import checked_key
from registry.readiness import ReadinessStatus
from registry.registrations.registrations import WITHDRAWN, Registrations
from registry.registrations.request import GateDecision, IdempotentUse, RegistrationRequest
from registry.store import Registry
from tasks.jobs.messages import BULK
from tasks.ledger.queue.workers import Workers
from tasks.messages import Idempotency
from tasks.settings import Settings
from telemetry.errors import Busy, Forbidden, UnsupportedMediaType, VersionNotFound

GATE_LOOK_SECONDS = 0.1
"""Seconds between two looks while a request waits for the gate."""


class RegisteredVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version that was uploaded, and what its gate said."""

    model: str
    version: int
    status: ReadinessStatus
    reason: str = ""
    """Why it was refused."""
    code: str = ""
    """Code of the error that it was refused for."""
    rows: int = 0
    """Rows of the sample for which every door gave the model's own answers."""
    unknown: tuple[str, ...] = ()
    """Columns whose type neither a sample nor the model tells."""
    waiting_for: str | UnsetType = UNSET
    """`no_worker` while there is no worker for batch jobs, which checks models; `capacity` while
    it checks others."""


class RegistrationViews:
    """The views. Uploads and waits hold a slot of a `ConcurrencyLimit` each."""

    def __init__(self, registry: Registry, workers: Workers, settings: Settings) -> None:
        self._registrations = Registrations(registry)
        self._workers, self._settings = workers, settings
        self._uploads = ConcurrencyLimit(settings.threads // 8)
        self._waits = ConcurrencyLimit(settings.threads // 8)

    def blueprint(self) -> Blueprint:
        """The route."""
        routes = Blueprint("registrations", __name__)
        routes.post("/models/<name>/versions")(self.register)
        return routes

    def register(self, name: str) -> Response:
        """Receive a model; answers 202 with its version, which is checked then."""
        with changing():
            accepted = self.received(name)
        return self.answer(accepted)

    def received(self, name: str | None, *, trusts: bool = False) -> RegistrationRequest:
        """Receive the files of the current request, and accept the registration.

        ``name``: that of the model, if the path has it. ``trusts``: whether each model is trusted
        as far as this server trusts uploads, although the form does not say so.
        """
        if request.mimetype != "multipart/form-data":
            raise UnsupportedMediaType("a model is uploaded as multipart/form-data")
        with self._uploads.one() as free, self._registrations.staging() as directory:
            if not free:
                raise Busy
            form = ModelForm(request, directory, self._settings)
            change = form.request(name)
            check_seen(current_caller(request), change.model)
            self._refuse_code(change)
            if trusts:
                may = current_caller(request).may("models:trust")
                change = replace(change, trust=may and self._settings.trust_uploads)
            return self._registrations.accept(
                directory, change, form.fields.version, _use(form.fingerprint, change.model)
            )

    def answer(self, accepted: RegistrationRequest) -> Response:
        """The state of a registration, after the wait that the request prefers."""
        prefers = parse_prefer(request.headers.get("Prefer", ""))
        state, free = self.waited_in_slot(accepted, prefers.seconds(0))
        path = f"/models/{accepted.model}/versions/{accepted.version}"
        headers = {"Location": path}
        if applied := prefers.applied(waited=free):
            headers[PREFERENCE_APPLIED] = applied
        return json_response(state, 202 if state.status == "checking" else 200, headers)

    def state(self, name: str, number: int) -> RegisteredVersion:
        """The state of a registration; raises `VersionNotFound` if there never was one."""
        return self._state(name, number, None)

    def _state(self, name: str, number: int, has_worker: bool | None) -> RegisteredVersion:
        reference = f"{name}:{number}"
        if self.is_pending(name, number):
            return RegisteredVersion(
                model=name,
                version=number,
                status="checking",
                waiting_for=self._waits_for(reference, has_worker),
            )
        decision = self._registrations.decision(name, number)
        if decision and decision.code != WITHDRAWN:
            return _of_decision(name, number, decision)
        raise VersionNotFound(f"there is no version {reference}")

    def is_pending(self, name: str, number: int) -> bool:
        """Whether a registration is not decided yet, although its version may be there already."""
        return self._registrations.request(f"{name}:{number}") is not None

    def pending(self) -> Iterator[RegisteredVersion]:
        """The registrations that are being checked, or wait for it."""
        has_worker = self._has_worker()
        for reference in sorted(self._registrations.pending()):
            name, _, number = reference.rpartition(":")
            with suppress(VersionNotFound):  # withdrawn meanwhile
                yield self._state(name, int(number), has_worker)

    def _waited(self, accepted: RegistrationRequest, seconds: int) -> RegisteredVersion:
        """The state of a registration once it is decided, or after some seconds."""
        deadline = time.monotonic() + seconds
        while True:
            state = self.state(accepted.model, accepted.version)
            if state.status != "checking" or time.monotonic() >= deadline:
                return state
            time.sleep(GATE_LOOK_SECONDS)

    def waited_in_slot(
        self, accepted: RegistrationRequest, seconds: int
    ) -> tuple[RegisteredVersion, bool]:
        """The state after a wait, and whether there was a slot to wait in."""
        with self._waits.one() as free:
            return self._waited(accepted, seconds if free else 0), free

    def _waits_for(self, reference: str, has_worker: bool | None) -> str | UnsetType:
        """``has_worker``: what `_has_worker` said; None to ask it if that matters."""
        if self._registrations.is_claimed(reference):
            return UNSET
        if has_worker is None:
            has_worker = self._has_worker()
        return "capacity" if has_worker else "no_worker"

    def _has_worker(self) -> bool:
        """Whether a worker lives that checks registrations."""
        try:
            return any(BULK in worker["queues"] for worker in self._workers.alive())
        except redis.RedisError:  # the registration goes on without Redis
            return True

    def _refuse_code(self, change: RegistrationRequest) -> None:
        """Raise `Forbidden` for what may run code, unless server and caller may trust it."""
        if not (change.trust or change.requirements):
            return
        require_scope(current_caller(request), "models:trust")
        if not self._settings.trust_uploads:
            raise Forbidden(
                "this server accepts no uploads of models that run code or have requirements: "
                "start it with `predictq up --trust-uploads`, or use `predictq models add` there"
            )


def _use(fingerprint: str, name: str) -> IdempotentUse | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    own = Idempotency(checked_key(key), fingerprint).of(current_caller(request).tenant)
    hashed = blake2b(own.key.encode(), digest_size=16).hexdigest()
    return IdempotentUse(hashed, blake2b(f"{name} {fingerprint}".encode()).hexdigest())


def _of_decision(name: str, number: int, decision: GateDecision) -> RegisteredVersion:
    return RegisteredVersion(
        model=name,
        version=number,
        status=decision.status,
        reason=decision.reason,
        code=decision.code,
        rows=decision.rows,
        unknown=decision.unknown,
    )
