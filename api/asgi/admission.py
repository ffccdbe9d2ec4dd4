"""Admission: the caller of a request, and whether it may send it, decided by its head alone.

It runs before any body is read, on every path through the API.
"""

import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import redis
from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send
from msgspec.structs import replace

from api.asgi.protocol import send_response
from api.audit.auditing import REFUSALS, Auditing
from api.callers.access import SESSIONS_PATH, access_of, is_audited, is_path
from api.callers.current import CALLER, missing_scope, require_scope
from api.callers.known_keys import Presented
from api.http.problems import answer_to
from api.operations.request_metrics import OTHER, RequestMetrics
from tasks.callers.caller import UNKNOWN_CALLER, Caller
from tasks.callers.limit_fields import limit_fields
from telemetry.errors import Malformed, NotFound, PredictqError, Unavailable
from telemetry.tracing.tracer import Tracer

LIMITED = HTTPStatus.TOO_MANY_REQUESTS
ADMITTED_SECONDS = 5.0
"""Seconds for which an answer is sent without another look at the key or session."""
Session = Callable[[bytes], Awaitable[Caller | None]]
"""Gives the caller that a `Cookie` header stands for."""


class Admission:
    """ASGI middleware that admits callers, and writes each into the scope."""

    def __init__(
        self,
        app: ASGIApp,
        presented: Presented,
        anonymous: Caller,
        session: Session,
        requests: RequestMetrics,
        audit: Auditing,
        tracer: Tracer | None = None,
    ) -> None:
        """``anonymous``: a caller without a key. ``tracer``: None without traces."""
        self._tracer = tracer
        self._app, self._presented, self._anonymous = app, presented, anonymous
        self._session, self._requests, self._audit = session, requests, audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer why it is refused."""
        if scope["type"] == "http":
            started = time.perf_counter()
            try:
                caller = await self._admitted(scope)
            except (PredictqError, redis.RedisError) as error:
                answer = answer_to(error)
                self._requests.ended(OTHER, scope["method"], answer.status_code, started)
                if answer.status_code in REFUSALS:
                    await self._audit.answered(scope, answer.status_code, is_change=False)
                await send_response(answer, send)
                return
            caller = caller.of_request
            # Whatever a request sends to workers, it does so by POST.
            if self._tracer is not None and scope["method"] == "POST":
                caller = self._traced(caller, self._tracer, scope)
            admitted: Any = {**scope, CALLER: caller}
            told = _with_limits(caller, send) if caller.limit_use else send
            shown = self._audited(admitted, self._while_admitted(scope, told))
            await self._app(admitted, receive, shown)
        else:
            await self._app(scope, receive, send)

    @staticmethod
    def _traced(caller: Caller, tracer: Tracer, scope: HTTPScope) -> Caller:
        sending = tracer.begin(scope["headers"])
        return caller if sending is None else replace(caller, sending=sending)

    def _audited(self, scope: HTTPScope, send: Send) -> Send:
        """Wrap ``send``: answers to changes, and refusals, are recorded before anything else."""
        is_change = is_audited(scope["method"], scope["path"])

        async def sent(event: Any) -> None:
            is_begin = event["type"] == "http.response.start"
            if is_begin and (is_change or event["status"] in REFUSALS):
                await self._audit.answered(scope, event["status"], is_change=is_change)
            await send(event)

        return sent

    def _while_admitted(self, scope: HTTPScope, send: Send) -> Send:
        """Wrap ``send``: a long answer ends once the caller's key or session ends.

        It raises `TimeoutError`, as for a client that does not read.
        """
        admitted_at = time.monotonic()

        async def sent(event: Any) -> None:
            nonlocal admitted_at
            if time.monotonic() - admitted_at > ADMITTED_SECONDS:
                admitted_at = time.monotonic()
                await self._admit_again(scope)
            await send(event)

        return sent

    async def _admit_again(self, scope: HTTPScope) -> None:
        try:
            caller, needed = await self._admitted(scope), access_of(scope["method"], scope["path"])
            # For a page of the console, too: a response that has begun cannot become the sign-in
            # page.
            if needed is not None and needed != "open":
                require_scope(caller, needed)
        except (redis.RedisError, Unavailable):  # the earlier decision holds
            return
        except PredictqError as error:
            raise TimeoutError(f"an answer ends before its end: {error.code}") from error

    async def _admitted(self, scope: HTTPScope) -> Caller:
        needed = access_of(scope["method"], scope["path"])
        if needed is None:
            if not is_path(scope["path"]):
                raise NotFound(f"there is no route {scope['path'][:200]!r}")
            return UNKNOWN_CALLER  # Flask answers which methods there are
        if needed == "open":
            return self._anonymous
        caller = await self._caller(scope)
        noted: Any = scope
        noted[CALLER] = caller  # recorded with a refusal
        # Pages are refused by Flask, with a page that says how to sign in.
        if needed not in caller.scopes and not scope["path"].startswith(SESSIONS_PATH):
            raise missing_scope(caller, needed)
        return caller

    async def _caller(self, scope: HTTPScope) -> Caller:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) > 1:
            raise Malformed("the request has more than one Authorization header")
        sender = await self._presented(given[0], _address(scope)) if given else None
        if sender is None and scope["path"].startswith(SESSIONS_PATH):
            cookies = [value for name, value in scope["headers"] if name == b"cookie"]
            sender = await self._session(b"; ".join(cookies)) if cookies else None
        return self._anonymous if sender is None else sender


def _with_limits(caller: Caller, send: Send) -> Send:
    """Wrap ``send`` to tell what is left of the limits; a refusal tells which of them it is."""

    async def told(event: Any) -> None:
        is_begin = event["type"] == "http.response.start"
        if is_begin and event["status"] != LIMITED and (use := caller.limit_use):
            fields = limit_fields(caller.limits, use.left).items()
            added = [(name.lower().encode(), value.encode()) for name, value in fields]
            event = {**event, "headers": [*event["headers"], *added]}
        await send(event)

    return told


def _address(scope: HTTPScope) -> str:
    client = scope.get("client")
    return client[0] if client else ""
