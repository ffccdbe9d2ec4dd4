"""Records changes and refusals in the audit log before their answers leave."""

import asyncio
import logging
import time
from http import HTTPStatus
from typing import Any

import msgspec
from a2wsgi.asgi_typing import HTTPScope, Send

from api.callers.current import caller_in
from registry.audit.entry import AuditEntry
from registry.audit.trail import AuditTrail
from registry.readiness import now

MAX_AUDITED_PATH = 200
MAX_REQUEST_ID = 64
"""Characters."""
REFUSALS_PER_SECOND = 10
"""Refusals that a process records in a second; the others are only counted."""
REFUSALS = HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
log = logging.getLogger(__name__)


class Auditing:
    """What the requests of one process leave in the audit log."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail
        self._second, self._recorded, self._unrecorded = 0, 0, 0

    def recorded(self, scope: HTTPScope, send: Send) -> Send:
        """Wrap ``send``: the answer to a change leaves once it is recorded."""

        async def sent(event: Any) -> None:
            if event["type"] == "http.response.start":
                await self._record(scope, event["status"])
            await send(event)

        return sent

    async def refused(self, scope: HTTPScope, status: int) -> None:
        """Record a refusal for want of a key or of a right; other statuses are none."""
        if status not in REFUSALS:
            return
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._recorded = second, 0
        if self._recorded < REFUSALS_PER_SECOND:
            self._recorded += 1
            await self._record(scope, status)
        else:
            self._unrecorded += 1

    async def _record(self, scope: HTTPScope, status: int) -> None:
        unrecorded, self._unrecorded = self._unrecorded, 0
        entry = _entry(scope, status, unrecorded)
        try:
            await asyncio.to_thread(self._trail.append, entry)
        except OSError as error:
            # The change is made already: to answer with an error would say that it is not.
            told = msgspec.to_builtins(entry)
            log.error("the audit log takes no entry: %s", error, extra={"entry": told})


def _entry(scope: HTTPScope, status: int, unrecorded: int) -> AuditEntry:
    caller = caller_in(scope)
    client = scope.get("client")
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return AuditEntry(
        time=now(),
        who=caller.name,
        key=caller.key,
        tenant=caller.tenant,
        method=scope["method"],
        path=scope["path"][:MAX_AUDITED_PATH],
        status=status,
        address=client[0] if client else "",
        request_id=given[:MAX_REQUEST_ID].decode("latin-1"),
        unrecorded=unrecorded,
    )
