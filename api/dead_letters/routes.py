"""Dead letters over HTTP: list, show, replay, delete."""

from itertools import islice
from typing import Annotated

import msgspec
from flask import Blueprint, Response, request
from werkzeug.routing import BaseConverter

from api.asgi.sending import Sending
from api.http.operator_bodies import read_body, read_query
from api.http.responses import answer
from tasks.ledger.dead_letters.letters import DeadLetters, Filter, Letter
from tasks.ledger.dead_letters.replay import Refused, Replays
from telemetry.errors import Invalid

Limit = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class Page(Filter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of `GET /dead-letters`."""

    limit: Limit = 100


class Selection(Filter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /dead-letters/replay`; without any field it means all."""

    limit: Limit = 1000


class Deletion(Filter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of `DELETE /dead-letters`."""

    all: bool = False
    """To delete all, it must be said."""


class Letters(msgspec.Struct, frozen=True, kw_only=True):
    """Dead letters, the newest first."""

    dead_letters: list[Letter]
    matching: int
    """How many the filter takes, those beyond the limit among them."""
    kept: int
    bytes: int
    buried: int
    """Ever."""
    dropped: int
    """Of those buried: dropped, since there were too many."""


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay did."""

    replayed: list[str]
    """Ids of letters, in the order in which they were queued: the oldest first."""
    refused: list[Refused]


class Deleted(msgspec.Struct, frozen=True):
    """What a deletion did."""

    deleted: int


class LetterId(BaseConverter):
    """An id in a path; what is replayed by filter is no letter."""

    regex = r"(?!replay$)[^/]+"
    part_isolating = True


class LetterViews:
    """The views."""

    def __init__(self, letters: DeadLetters, replays: Replays, sending: Sending) -> None:
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
        """The newest letters that a filter takes."""
        page = read_query(request, Page)
        found, totals = self._letters.find(page), self._letters.totals()
        first = list(islice(found, page.limit))
        # Without a filter there is no need to look at the others.
        matching = len(first) + sum(1 for _ in found) if _filters(page) else totals.kept
        counts = msgspec.structs.asdict(totals)
        return answer(Letters(dead_letters=first, matching=matching, **counts))

    def show(self, id: str) -> Response:
        """One letter, with its message."""
        return self._sending.held(answer(self._letters.show(id)))

    def replay(self, id: str) -> Response:
        """Give one back to its queue, under the id that it had."""
        task_id = self._replays.replay(id)
        headers = {"Location": f"/predict/result/{task_id}"} if task_id else {}
        return answer(Replayed(replayed=[id], refused=[]), 202, headers)

    def replay_some(self) -> Response:
        """Give back the oldest that a filter takes."""
        selection = read_body(request, Selection)
        found = sorted(self._letters.find(selection), key=_age)[: selection.limit]
        replayed, refused = self._replays.replay_all(letter.id for letter in found)
        return answer(Replayed(replayed=replayed, refused=refused))

    def delete(self, id: str) -> Response:
        """Delete one."""
        self._letters.show(id)
        return answer(Deleted(self._letters.delete([id])))

    def delete_some(self) -> Response:
        """Delete all that a filter takes."""
        doomed = read_query(request, Deletion)
        if not (doomed.all or _filters(doomed)):
            raise Invalid("say which to delete: model, code or queue; or all=true")
        return answer(Deleted(self._letters.delete([x.id for x in self._letters.find(doomed)])))


def _filters(which: Filter) -> bool:
    return bool(which.model or which.code or which.queue)


def _age(letter: Letter) -> float:
    return letter.accepted_at or letter.died_at
