"""The page of dead letters: groups, and replay or deletion of one, some or a whole group."""

from collections.abc import Iterator
from itertools import islice

from flask import Blueprint, Response, request

from api.console.notices import see_other
from api.console.pages.dead_letters import SHOWN_IN_GROUP, grouped, shape_of
from api.console.rendering import Pages
from tasks.ledger.dead_letters.letters import DeadLetters, Filter, Letter
from tasks.ledger.dead_letters.replay import Replays
from telemetry.errors import Invalid

MAX_GROUPED = 2000
"""Letters that are read and grouped, the newest ones."""
_PAGE = "/console/dead-letters"


class LetterPages:
    """The views."""

    def __init__(self, letters: DeadLetters, replays: Replays, pages: Pages) -> None:
        self._letters, self._replays, self._pages = letters, replays, pages

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        routes.get("/dead-letters")(self.letters)
        routes.post("/dead-letters/replay")(self.replay)
        routes.post("/dead-letters/delete")(self.delete)

    def letters(self) -> Response:
        """The groups."""
        newest = list(islice(self._letters.find(Filter()), MAX_GROUPED))
        return self._pages.show(
            "dead_letters.html",
            "Dead letters",
            groups=grouped(newest),
            kept=self._letters.totals().kept,
            most=MAX_GROUPED,
            most_shown=SHOWN_IN_GROUP,
        )

    def replay(self) -> Response:
        """Replay the letters that the form names, the oldest first."""
        chosen = sorted(self._chosen(), key=lambda letter: letter.died_at)
        replayed, refused = self._replays.replay_all(letter.id for letter in chosen)
        return see_other(_PAGE, "replayed", len(replayed), len(refused))

    def delete(self) -> Response:
        """Delete the letters that the form names."""
        return see_other(_PAGE, "deleted", self._letters.delete([x.id for x in self._chosen()]))

    def _chosen(self) -> Iterator[Letter]:
        """The letters of the ids in the form, or of the group; raises `Invalid` without either."""
        form = request.form
        if ids := form.getlist("id"):
            return map(self._letters.show, ids)
        if "shape" not in form:
            raise Invalid("choose at least one dead letter")
        group, until = [form.get(name, "") for name in ("model", "code", "shape")], _until()
        # In Python, as an empty model means "those that do not say", and not "all".
        newest = islice(self._letters.find(Filter()), MAX_GROUPED)
        return (x for x in newest if _group_of(x) == group and x.died_at <= until)


def _group_of(letter: Letter) -> list[str]:
    return [letter.model, letter.code, shape_of(letter.reason)]


def _until() -> float:
    """When the newest letter that the viewer saw was stored: later ones are left alone."""
    try:
        return float(request.form.get("until", ""))
    except ValueError:
        raise Invalid("`until` is a number: Unix seconds") from None
