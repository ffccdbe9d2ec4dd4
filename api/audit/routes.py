"""`GET /audit`: the audit log, newest first."""

from collections import deque
from pathlib import Path
from typing import Annotated

import msgspec
from flask import Blueprint, Response, request
from msgspec import UNSET, UnsetType

from api.http.operator_bodies import read_query
from api.http.responses import json_response
from registry.audit.entry import AuditLine
from registry.audit.trail import AuditPart, AuditTrail


class AuditPage(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The query of `GET /audit`."""

    part: AuditPart = "changes"
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    after: Annotated[int, msgspec.Meta(ge=1)] | UnsetType = UNSET
    """Only lines older than the one with this id."""


class AuditLines(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a part of the audit log, newest first."""

    data: list[AuditLine]
    has_more: bool
    """Whether there are older lines."""


class AuditViews:
    """The view."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def blueprint(self) -> Blueprint:
        """The route."""
        routes = Blueprint("audit", __name__)
        routes.get("/audit")(self.show)
        return routes

    def show(self) -> Response:
        """List the lines of a part of the audit log, newest first."""
        page = read_query(request, AuditPage)
        found: deque[AuditLine] = deque(maxlen=page.limit + 1)
        for line in AuditTrail(self._home, page.part).lines():
            if page.after is UNSET or line.id < page.after:
                found.append(line)
        data = list(reversed(found))
        return json_response(AuditLines(data=data[: page.limit], has_more=len(data) > page.limit))
