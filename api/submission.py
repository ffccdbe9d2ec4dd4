"""A submission: read from the request, checked, and pinned to one version."""

import time
from hashlib import blake2b
from typing import Any

import msgspec
from flask import Request

from registry import validation
from registry.methods import check_method
from registry.store import Registry, Resolved
from tasks.messages import Idempotency, Prediction
from tasks.settings import Settings
from tasks.wire import decode, encode
from telemetry.errors import Detail, Invalid, TooLarge, UnsupportedMediaType

LONGEST_KEY = 255
"""Characters in an idempotency key."""


class Submission(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /predict` and `POST /predict/async`."""

    model: str
    """``name``, ``name@alias`` or ``name:version``."""
    features: list[Any] | dict[str, Any]
    """One row as a list, rows as a list of lists, a row as an object by column name, or a list
    of objects. ``null`` is a missing value."""
    method: str = "predict"


def read(request: Request, settings: Settings) -> Submission:
    """Parse the body; raises the error that says what is wrong with it."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("the body must not be compressed")
    return parse(_body(request, settings.max_body_bytes))


def parse(body: bytes) -> Submission:
    """Read a body; raises `Malformed` or `Invalid`."""
    document = decode(body)
    try:
        return msgspec.convert(document, Submission)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error


def idempotency(request: Request, submission: Submission) -> Idempotency | None:
    """What the `Idempotency-Key` header says, if it was sent."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 0 < len(key) <= LONGEST_KEY:
        raise Invalid(f"an Idempotency-Key has 1 to {LONGEST_KEY} characters")
    return Idempotency(key, blake2b(encode(submission), digest_size=16).hexdigest())


def prepare(submission: Submission, registry: Registry, settings: Settings) -> Prediction:
    """Resolve the model and check everything against its signature."""
    resolved: Resolved = registry.resolve(submission.model)
    manifest = resolved.manifest
    check_method(manifest, submission.method)
    if isinstance(submission.features, list) and len(submission.features) > settings.max_rows:
        _refuse_many_rows(submission.features, settings.max_rows)
    return Prediction(
        model=manifest.name,
        version=manifest.version,
        alias=resolved.alias,
        method=submission.method,
        features=validation.rows(manifest.signature, submission.features),
        created_at=time.time(),
    )


def _body(request: Request, bound: int) -> bytes:
    # What comes without a length is read up to one byte beyond the bound, see `create_app`.
    if (request.content_length or 0) > bound or len(body := request.get_data(cache=False)) > bound:
        raise TooLarge(f"the body may hold at most {bound} bytes")
    return body


def _refuse_many_rows(features: list[Any], bound: int) -> None:
    if isinstance(features[0], list | dict):  # else it is one row, wide and wrong in another way
        raise TooLarge(f"a request may carry at most {bound} rows, this one has {len(features)}")


def _invalid(error: msgspec.ValidationError) -> Invalid:
    message, _, path = str(error).partition(" - at `$")
    location = tuple(part for part in path.strip("`").split(".") if part)
    return Invalid(message, errors=[Detail(location, message)])
