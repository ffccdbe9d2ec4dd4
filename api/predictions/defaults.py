"""Fields of submissions that a query gives: for all lines of NDJSON, or for an Arrow stream."""

from urllib.parse import parse_qsl

import msgspec
from msgspec import UNSET, UnsetType

from api.http.conversion import Kind, converted
from api.predictions.submission import QueueLimit, RunLimit, Sticky
from registry.storage.model_settings import CacheSetting
from tasks.messages import Priority
from tasks.targets.webhook import Webhook
from telemetry.errors import Invalid

MAX_PARAMETERS = 16
"""Parameters of a query; there are eight to give."""


class Defaults(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Fields for every submission that does not have them; see `Submission`."""

    model: str | UnsetType = UNSET
    method: str | UnsetType = UNSET
    max_queue_seconds: QueueLimit | UnsetType = UNSET
    timeout_seconds: RunLimit | UnsetType = UNSET
    sticky: Sticky | UnsetType = UNSET
    cache: CacheSetting | UnsetType = UNSET
    webhook: Webhook | UnsetType = UNSET
    """Of a JSON document; a query cannot give it."""
    priority: Priority | UnsetType = UNSET


def read_defaults(query: bytes, kind: type[Kind]) -> Kind:
    """The fields in a query string; raises `Invalid`."""
    try:
        given = parse_qsl(
            query.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError as error:
        raise Invalid("the query is not UTF-8, or has too many parameters") from error
    found = dict(given)
    if len(found) < len(given):
        raise Invalid("a parameter of the query is given more than once")
    return converted(found, kind, strict=False)
