"""First bytes of records, by which scripts tell open ones without parsing JSON, and of letters."""

from typing import Any

from tasks.record import CELERY_STATUS, State
from tasks.wire import encode


def _head(state: State) -> bytes:
    # Without the closing brace, as the other fields of the record follow.
    return encode({"status": CELERY_STATUS[state], "state": state})[:-1]


QUEUED_HEAD, RUNNING_HEAD, RETRYING_HEAD = _head("queued"), _head("running"), _head("retrying")
OPEN_HEADS = {
    "QUEUED_HEAD": QUEUED_HEAD,
    "RUNNING_HEAD": RUNNING_HEAD,
    "RETRYING_HEAD": RETRYING_HEAD,
}
"""Heads of records that have no outcome, as the scripts name them."""
SUCCEEDED_HEAD = _head("succeeded")


def letter_head(**fields: Any) -> bytes:
    """The fields of a letter as JSON without the closing brace; the script appends the rest."""
    return encode(fields)[:-1]
