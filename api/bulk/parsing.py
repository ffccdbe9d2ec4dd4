"""Parses a bulk request: its lines, or its JSON document."""

from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from api.bulk.lines import MAX_LINES
from api.http.conversion import converted
from api.limits.json_limits import refuse_many_containers
from api.predictions.defaults import Defaults
from api.predictions.submission import QueueLimit, RunLimit, Sticky, Submission, SubmittedRows
from registry.storage.model_settings import CacheSetting
from tasks.messages import Priority
from tasks.targets.webhook import Webhook
from tasks.wire import decode, encode
from telemetry.errors import Invalid, Malformed

_outline = msgspec.json.Decoder(dict[str, msgspec.Raw])
_requests = msgspec.json.Decoder(list[msgspec.Raw])


class BulkLine(msgspec.Struct, forbid_unknown_fields=True):
    """A line: a `Submission` that may leave all but its features to the defaults."""

    features: SubmittedRows
    model: str | UnsetType = UNSET
    method: str | UnsetType = UNSET
    max_queue_seconds: QueueLimit | UnsetType | None = UNSET
    timeout_seconds: RunLimit | UnsetType | None = UNSET
    sticky: Sticky | UnsetType = UNSET
    cache: CacheSetting | UnsetType = UNSET
    webhook: Webhook | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET


_line = msgspec.json.Decoder(BulkLine)


class BulkRequest(Defaults, kw_only=True):
    """Many predictions in one JSON document; the other fields are defaults for all."""

    requests: list[BulkLine]


class Document(NamedTuple):
    """A bulk request in the form of one JSON document."""

    defaults: Defaults
    requests: list[bytes]
    """At most one more than a bulk request may have."""


def read_document(body: bytes) -> Document | None:
    """The bulk request in a JSON body; None if the body has no list of requests, or is no JSON.

    Raises `Invalid` or `TooLarge` for a bulk request that is wrong.
    """
    try:
        given: dict[str, Any] = dict(_outline.decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        given = _read_tolerantly(body)
    requests = given.pop("requests", None)
    if requests is None:
        return None
    if isinstance(requests, msgspec.Raw):
        given = {name: decode(bytes(raw)) for name, raw in given.items()}
    return Document(converted(given, Defaults), _listed(requests))


def _read_tolerantly(body: bytes) -> dict[str, Any]:
    try:
        given = decode(body)
    except Malformed:
        return {}
    return given if isinstance(given, dict) else {}


def _listed(requests: Any) -> list[bytes]:
    # Values beyond the bound are refused unparsed: a document may list millions of short values.
    if isinstance(requests, list):
        return [encode(request) for request in requests[: MAX_LINES + 1]]
    if not isinstance(requests, msgspec.Raw) or not bytes(requests).lstrip().startswith(b"["):
        raise Invalid("requests: expected a list of predictions")
    return [bytes(request) for request in _requests.decode(requests)[: MAX_LINES + 1]]


class LineParser:
    """Parses the lines of one request."""

    def __init__(self, defaults: Defaults, max_rows: int) -> None:
        self._defaults, self._max_rows = defaults, max_rows
        self._given: dict[str, Any] = msgspec.to_builtins(defaults)

    def parse(self, line: bytes) -> Submission:
        """The submission in a line; raises `Malformed`, `Invalid` or `TooLarge`."""
        refuse_many_containers(line, self._max_rows)
        try:
            given = _line.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._parse_tolerantly(line)
        return self._completed(given) or self._parse_tolerantly(line)

    def _completed(self, given: BulkLine) -> Submission | None:
        defaults = self._defaults
        model = defaults.model if given.model is UNSET else given.model
        if model is UNSET:
            return None
        queue, run = given.max_queue_seconds, given.timeout_seconds
        return Submission(
            model,
            given.features,
            (given.method or defaults.method) or "predict",
            defaults.max_queue_seconds if queue is UNSET else queue,
            defaults.timeout_seconds if run is UNSET else run,
            given.sticky or defaults.sticky,
            defaults.cache if given.cache is UNSET else given.cache,
            given.webhook or defaults.webhook,
            (given.priority or defaults.priority) or "normal",
        )

    def _parse_tolerantly(self, line: bytes) -> Submission:
        """Accept ``NaN`` and the like, as elsewhere; say what is wrong with any other line."""
        given = decode(line)
        return converted(self._given | given if isinstance(given, dict) else given, Submission)
