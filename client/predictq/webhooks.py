"""Checks the signature of a webhook: that an event comes from a stack whose secret is known."""

import base64
import binascii
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from predictq.errors import PredictqError

TOLERANCE_SECONDS = 300.0
"""Seconds by which the time of an event may differ from this machine's; an older one may be a
replay by an attacker."""
_PREFIX = "whsec_"


class WebhookRefused(PredictqError):
    """A request is no event of this stack: answer it with 401."""


def verify_webhook(
    body: bytes, headers: Mapping[str, str], secret: str, *, tolerance: float = TOLERANCE_SECONDS
) -> dict[str, Any]:
    """Check a request to a receiver, and return the event: ``type``, ``timestamp`` and ``data``.

    ``body``: as it was received. ``headers``: of the request, in any case. ``secret``: what
    `predictq webhooks secret` prints. ``tolerance``: seconds. Raises `WebhookRefused`.
    An event may come more than once, always with the same header ``webhook-id``.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        event_id, sent_at = given["webhook-id"], given["webhook-timestamp"]
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        is_near = abs(time.time() - int(sent_at)) <= tolerance
        offered = given["webhook-signature"].split()
    except KeyError as error:
        raise WebhookRefused(f"the header {error} is missing") from None
    except (ValueError, binascii.Error):
        raise WebhookRefused("the timestamp or the secret cannot be read") from None
    content = b".".join((event_id.encode(), sent_at.encode(), body))
    made = b"v1," + base64.b64encode(hmac.digest(key, content, "sha256"))
    if not any(hmac.compare_digest(made, each.encode()) for each in offered):
        raise WebhookRefused("no signature is valid")
    if not is_near:
        raise WebhookRefused("the event is too old, or a clock is wrong")
    event: dict[str, Any] = json.loads(body)
    return event
