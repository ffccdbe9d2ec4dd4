"""Aliases over HTTP: moved, deleted, rolled back; and the history of a model."""

from typing import Annotated

import msgspec
from flask import Blueprint, Request, Response, request
from msgspec import UNSET, UnsetType

from api.http.operator_bodies import read_body, read_query
from api.http.responses import json_response
from api.models.changing import ChangeRequest, changing
from registry.changes import AliasState, Changes, Expected
from registry.names import MAX_VERSION, checked_name
from registry.splits import MAX_VERSIONS, meaning_text, parse_meaning
from registry.store import Registry
from telemetry.errors import Invalid

Number = Annotated[int, msgspec.Meta(ge=1, le=MAX_VERSION)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
_NUMBERS = {"propertyNames": {"pattern": "^[1-9][0-9]{0,8}$"}}
GivenShares = Annotated[
    dict[Number, Percent], msgspec.Meta(max_length=MAX_VERSIONS, extra_json_schema=_NUMBERS)
]
ROLLED_BACK = "production"
"""The alias that a rollback moves, if the request names none."""


class AliasMove(ChangeRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of `PUT /models/<name>/aliases/<alias>`."""

    version: Number | GivenShares
    """The version, or a split: by version, the percent of the requests that it gets."""
    expected: Number | GivenShares | UnsetType | None = UNSET
    """The expected meaning of the alias; null if there must be no such alias. The field
    `If-Match: "3"`, or `"3=90,4=10"` for a split, says the same."""


class AliasRemoval(ChangeRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The query of `DELETE /models/<name>/aliases/<alias>`."""

    expected: Number | UnsetType = UNSET
    """`If-Match` can also say a split."""


class Rollback(ChangeRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /models/<name>/rollback`; optional."""

    alias: str = ROLLED_BACK
    expected: Number | GivenShares | UnsetType | None = UNSET


class AliasViews:
    """The views."""

    def __init__(self, registry: Registry) -> None:
        self._changes = Changes(registry)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("aliases", __name__)
        routes.put("/models/<name>/aliases/<alias>")(self.move)
        routes.delete("/models/<name>/aliases/<alias>")(self.remove)
        routes.post("/models/<name>/rollback")(self.roll_back)
        return routes

    def move(self, name: str, alias: str) -> Response:
        """Point an alias to a version, or split it, if it means what the request expects."""
        with changing():
            change = read_body(request, AliasMove)
            return _answer(
                self._changes.set_alias(
                    name,
                    checked_name(alias, "alias"),
                    change.version,
                    expected=_expected(request, change.expected),
                    cause=change.cause,
                )
            )

    def remove(self, name: str, alias: str) -> Response:
        """Delete an alias; the version stays."""
        with changing():
            change = read_query(request, AliasRemoval)
            expected = _expected(request, change.expected)
            return _answer(
                self._changes.remove_alias(name, alias, expected=expected, cause=change.cause)
            )

    def roll_back(self, name: str) -> Response:
        """Point an alias to the version that it meant before."""
        with changing():
            change = read_body(request, Rollback)
            expected = _expected(request, change.expected)
            return _answer(
                self._changes.rollback(name, change.alias, expected=expected, cause=change.cause)
            )


def _expected(sent: Request, given: Expected) -> Expected:
    """The expectation of the body, or of `If-Match`, whose entity tag says what an alias means."""
    if not sent.if_match:
        return given
    tags = sent.if_match.as_set()
    meaning = parse_meaning(min(tags, default=""))
    if len(tags) != 1 or meaning is None:
        raise Invalid('If-Match is a version, as in If-Match: "3", or a split, as in "3=90,4=10"')
    return meaning


def _answer(state: AliasState) -> Response:
    tag = {} if state.version is None else {"ETag": f'"{meaning_text(state.version)}"'}
    return json_response(state, headers=tag)
