"""The page of the audit log: its newest lines by caller and status, and whether it is whole."""

from collections import deque
from pathlib import Path
from typing import Annotated

import msgspec
from flask import Blueprint, Response, request

from api.console.rendering import Pages
from api.http.operator_bodies import read_query
from registry.audit.entry import AuditLine
from registry.audit.trail import AUDIT_PARTS, AuditPart, AuditTrail, Broken

SHOWN_LINES = 100
"""Lines of a page."""
Word = Annotated[str, msgspec.Meta(max_length=200)]


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """The query of the page. What is empty or 0 leaves no line out."""

    part: AuditPart = "changes"
    caller: Word = ""
    """The name or the id of the key."""
    path: Word = ""
    """A part of the path."""
    status: Word = ""
    """The first digits of the status: ``4`` for every 4xx."""
    before: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Only lines older than the one with this id."""
    verify: bool = False

    def takes(self, line: AuditLine) -> bool:
        """Whether a line is shown."""
        return (
            (not self.caller or self.caller in (line.caller, line.key))
            and self.path in line.path
            and str(line.status).startswith(self.status)
            and (not self.before or line.id < self.before)
        )


class AuditPages:
    """The view. It needs the scope `admin`, as the route of the log does."""

    def __init__(self, home: Path, pages: Pages) -> None:
        self._home, self._pages = home, pages

    def add_to(self, routes: Blueprint) -> None:
        """Add the route."""
        routes.get("/audit")(self.audit)

    def audit(self) -> Response:
        """The lines of a part of the log, newest first."""
        asked = read_query(request, AuditFilter)
        trail = AuditTrail(self._home, asked.part)
        newest = deque(filter(asked.takes, trail.lines()), maxlen=SHOWN_LINES)
        return self._pages.show(
            "audit.html",
            "Audit log",
            asked=asked,
            parts=AUDIT_PARTS,
            lines=list(reversed(newest)),
            is_full=len(newest) == SHOWN_LINES,
            verified=_verified(trail) if asked.verify else None,
        )


def _verified(trail: AuditTrail) -> tuple[bool, str]:
    """Whether the log is whole, and what to say of it."""
    try:
        many, last = trail.verify()
    except Broken as error:
        return False, f"Not whole: {error}."
    return True, f"{many:,} lines, whole. The last one has the hash {last or 'of none'}."
