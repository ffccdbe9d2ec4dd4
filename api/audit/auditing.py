"""Records changes and refusals in the audit log before their answers leave."""

import asyncio
import logging
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
from a2wsgi.asgi_typing import HTTPScope

from api.callers.access import access_of
from api.callers.current import caller_in
from api.limits.per_second import PerSecond
from registry.audit.entry import AuditEntry
from registry.audit.trail import AuditTrail
from registry.readiness import now
from tasks.callers.tokens import read_token

MAX_AUDITED_PATH = 200
MAX_REQUEST_ID = 64
"""Characters."""
REFUSALS_PER_SECOND = 10
"""Refusals that a process records in a second; the others are only counted."""
REFUSALS = HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
log = logging.getLogger(__name__)


class Auditing:
    """Writes the changes and refusals of one process to the audit log."""

    def __init__(self, home: Path) -> None:
        self._changes, self._refusals = AuditTrail(home), AuditTrail(home, "refusals")
        self._refusals_now, self._unrecorded = PerSecond(), 0

    async def answered(self, scope: HTTPScope, status: int, *, is_change: bool) -> None:
        """Record the answer to a change, or a refusal for want of a key or of a right."""
        needed = access_of(scope["method"], scope["path"])
        if is_change and status not in REFUSALS and needed in caller_in(scope).scopes:
            await self._append(self._changes, _entry(scope, status))
        elif is_change or status in REFUSALS:
            await self._refused(scope, status)

    async def _refused(self, scope: HTTPScope, status: int) -> None:
        if self._refusals_now.add() > REFUSALS_PER_SECOND:
            self._unrecorded += 1
            return
        unrecorded, self._unrecorded = self._unrecorded, 0
        await self._append(self._refusals, _entry(scope, status, unrecorded))

    async def _append(self, trail: AuditTrail, entry: AuditEntry) -> None:
        try:
            await asyncio.to_thread(trail.append, entry)
        except OSError as error:
            # The change is already made, and an error as answer would say that it is not.
            told = msgspec.to_builtins(entry)
            log.error("the audit log takes no entry: %s", error, extra={"entry": told})


def _entry(scope: HTTPScope, status: int, unrecorded: int = 0) -> AuditEntry:
    caller = caller_in(scope)
    client = scope.get("client")
    return AuditEntry(
        time=now(),
        caller=caller.name,
        key=caller.key or _presented_key(scope),
        tenant=caller.tenant,
        method=scope["method"],
        path=scope["path"][:MAX_AUDITED_PATH],
        status=status,
        address=client[0] if client else "",
        request_id=_header(scope, b"x-request-id")[:MAX_REQUEST_ID],
        unrecorded=unrecorded,
    )


def _presented_key(scope: HTTPScope) -> str:
    """The id in a token that was not accepted; empty if there is none."""
    token = read_token(_header(scope, b"authorization").partition(" ")[2].strip())
    return token.id if token else ""


def _header(scope: HTTPScope, name: bytes) -> str:
    found: Any = next((value for field, value in scope["headers"] if field == name), b"")
    return bytes(found).decode("latin-1")
