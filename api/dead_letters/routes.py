"""Dead letters over HTTP: list, show, replay, delete."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import msgspec
from flask import Blueprint, Response, request
from werkzeug.routing import BaseConverter

from api.callers.current import current_caller
from api.callers.seeing import sees_version
from api.http.operator_bodies import read_body, read_query
from api.http.responses import json_response
from api.limits.send_budget import SendBudget
from tasks.ledger.dead_letters.letters import DeadLetters, Filter, Letter
from tasks.ledger.dead_letters.replay import Refused, Replays
from telemetry.errors import DeadLetterNotFound, Invalid

Limit = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class Page(Filter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of `GET /dead-letters`."""

    limit: Limit = 100


class LetterSelection(Filter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /dead-letters/replay`; without a field it selects all."""

    limit: Limit = 1000


class Deletion(Filter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of `DELETE /dead-letters`."""

    all: bool = False
    """Required to delete without a filter."""


class Letters(msgspec.Struct, frozen=True, kw_only=True):
    """Dead letters, newest first."""

    dead_letters: list[Letter]
    matching: int
    """How many letters match the filter, including those beyond the limit."""
    kept: int
    """How many letters are stored now."""
    bytes: int
    """Size of all that are stored."""
    buried: int
    """How many were ever stored."""
    dropped: int
    """How many of those were dropped, oldest first, to stay within the limit."""


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a replay."""

    replayed: list[str]
    """Ids of letters in the order in which they were queued again: oldest first."""
    refused: list[Refused]


class Deleted(msgspec.Struct, frozen=True):
    """The result of a deletion."""

    deleted: int


class LetterId(BaseConverter):
    """A letter's id in a path; it excludes ``replay``, which is a route of its own."""

    regex = r"(?!replay$)[^/]+"
    part_isolating = True


class LetterViews:
    """The views."""

    def __init__(self, letters: DeadLetters, replays: Replays, sending: SendBudget) -> None:
        self._letters = letters
        self._sending = sending
        self._replays = replays

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("letters", __name__)
        routes.record_once(lambda setup: setup.app.url_map.converters.update(letter=LetterId))
        routes.get("/dead-letters")(self.index)
        routes.delete("/dead-letters")(self.delete_some)
        routes.post("/dead-letters/replay")(self.replay_some)
        routes.get("/dead-letters/<letter:id>")(self.show)
        routes.delete("/dead-letters/<letter:id>")(self.delete)
        routes.post("/dead-letters/<letter:id>/replay")(self.replay)
        return routes

    def index(self) -> Response:
        """List the newest letters that match a filter."""
        page = read_query(request, Page)
        found, totals = self._found(page), self._letters.totals()
        first = list(islice(found, page.limit))
        # Without a filter all letters match, so there is no need to read the rest.
        is_filtered = _filters(page) or not current_caller(request).sees_all
        matching = len(first) + sum(1 for _ in found) if is_filtered else totals.kept
        counts = msgspec.structs.asdict(totals)
        return json_response(Letters(dead_letters=first, matching=matching, **counts))

    def show(self, id: str) -> Response:
        """Show one letter with its message."""
        self._check_seen(id)
        return self._sending.budgeted(json_response(self._letters.show(id)))

    def replay(self, id: str) -> Response:
        """Put one letter back on its queue under its old id."""
        self._check_seen(id)
        task_id = self._replays.replay(id)
        headers = {"Location": f"/predict/result/{task_id}"} if task_id else {}
        return json_response(Replayed(replayed=[id], refused=[]), 202, headers)

    def replay_some(self) -> Response:
        """Put the oldest letters that match a filter back on their queues."""
        selection = read_body(request, LetterSelection)
        found = sorted(self._found(selection), key=_age)[: selection.limit]
        replayed, refused = self._replays.replay_all(letter.id for letter in found)
        return json_response(Replayed(replayed=replayed, refused=refused))

    def delete(self, id: str) -> Response:
        """Delete one letter."""
        self._check_seen(id)
        self._letters.show(id)
        return json_response(Deleted(self._letters.delete([id])))

    def delete_some(self) -> Response:
        """Delete all letters that match a filter."""
        doomed = read_query(request, Deletion)
        if not (doomed.all or _filters(doomed)):
            raise Invalid(
                "select the dead letters to delete: give model, code or queue, or all=true"
            )
        return json_response(Deleted(self._letters.delete([x.id for x in self._found(doomed)])))

    def _found(self, which: Filter) -> Iterator[Letter]:
        """The letters that match, of the models that the caller sees."""
        caller = current_caller(request)
        return (each for each in self._letters.find(which) if sees_version(caller, each.model))

    def _check_seen(self, id: str) -> None:
        """Raise `DeadLetterNotFound` for a letter of a model that the caller does not see."""
        caller = current_caller(request)
        if caller.sees_all:
            return
        try:
            model = self._letters.show(id).model
        # Each caller of this function decides what a missing letter means.
        except DeadLetterNotFound:
            return
        if not sees_version(caller, model):
            raise DeadLetterNotFound(f"there is no dead letter {id[:200]!r}")


def _filters(which: Filter) -> bool:
    return bool(which.model or which.code or which.queue)


def _age(letter: Letter) -> float:
    return letter.accepted_at or letter.died_at
