"""The history of a model over HTTP: its changes, and what its aliases meant at a time."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from flask import Blueprint, Response, request
from msgspec import UNSET, UnsetType

from api.http.operator_bodies import read_query
from api.http.responses import json_response
from registry.history import Change, aliases_after, first_number
from registry.splits import Meaning
from registry.store import Registry
from telemetry.errors import Invalid


class Entry(Change, frozen=True, kw_only=True, rename={"before": "from", "after": "to"}):
    """A change in a list, with its place in the model's history."""

    id: int
    """Counted from 1, the oldest change that ever was."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a model's history, newest first."""

    data: list[Entry]
    has_more: bool
    """Whether there are older changes."""
    aliases: dict[str, Meaning]
    """What each alias meant at the time of `at`, by default now."""


class HistoryPage(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The query of `GET /models/<name>/history`."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    after: Annotated[int, msgspec.Meta(ge=1)] | UnsetType = UNSET
    """Only changes older than the one with this id."""
    at: str | None = None
    """Only changes up to this time: RFC 3339, UTC unless it says otherwise."""


class HistoryViews:
    """The view."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def blueprint(self) -> Blueprint:
        """The route."""
        routes = Blueprint("history", __name__)
        routes.get("/models/<name>/history")(self.show)
        return routes

    def show(self, name: str) -> Response:
        """List the changes of a model, newest first."""
        page = read_query(request, HistoryPage)
        known = self._registry.history(name)
        if page.at is not None:
            until = parse_time(page.at)
            _check_kept(known, until)
            known = [change for change in known if parse_time(change.time) <= until]
        oldest = first_number(known)
        after = UNSET if page.after is UNSET else max(page.after - oldest, 0)
        last = len(known) if after is UNSET else min(after, len(known))
        first = max(last - page.limit, 0)
        data = [_entry(oldest + place, known[place]) for place in reversed(range(first, last))]
        return json_response(History(data=data, has_more=first > 0, aliases=aliases_after(known)))


def _check_kept(known: list[Change], until: datetime) -> None:
    """Raise `Invalid` for a time of which the changes were dropped."""
    if known and known[0].act == "dropped" and until < parse_time(known[0].time):
        raise Invalid(f"at: the history before {known[0].time} is no longer kept")


def parse_time(text: str) -> datetime:
    """A time of RFC 3339, UTC if it names no zone; raises `Invalid`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        # A plus sign in a query that is not percent-encoded arrives as a space.
        raise Invalid(f"at: {text[:100]!r} is not a time such as 2026-01-31T12:00:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _entry(number: int, change: Change) -> Entry:
    return Entry(id=number, **msgspec.structs.asdict(change))
