"""A submission: read from the request, checked, and pinned to one version."""

import time
from collections.abc import Callable, Collection
from hashlib import blake2b
from typing import Annotated, Any

import msgspec
from flask import Request
from msgspec import UNSET, Meta, UnsetType

from api.callers.seeing import check_seen
from api.http.conversion import converted
from api.limits.json_limits import refuse_many_containers, refuse_many_values
from api.predictions.reuse import reuse_of
from registry import names
from registry.columns.positions import column_positions
from registry.deployments.deployment import Deployment
from registry.manifest import Signature
from registry.methods import check_method, input_of
from registry.rows import validation
from registry.storage.model_settings import CacheSetting
from registry.store import Registry
from registry.versions import Resolved
from tasks.arrow.stream import ArrowRows
from tasks.callers.caller import Caller
from tasks.messages import PREDICT_QUEUE, Arm, Idempotency, Prediction, Priority
from tasks.settings import Settings
from tasks.targets.webhook import Webhook, target
from tasks.time_limits import MAX_QUEUE_SECONDS, MAX_RUN_SECONDS, MIN_RUN_SECONDS
from tasks.wire import decode
from telemetry.errors import (
    DeploymentStopped,
    Detail,
    Invalid,
    InvalidFeatures,
    PredictqError,
    TooLarge,
    UnsupportedMediaType,
)

MAX_KEY_CHARS = 255
"""Characters in an idempotency key."""
SHAPES = {"anyOf": [{"type": "array"}, {"type": "object"}]}
SubmittedRows = Annotated[Any, Meta(extra_json_schema=SHAPES)]
QueueLimit = Annotated[float, Meta(gt=0, le=MAX_QUEUE_SECONDS)]
RunLimit = Annotated[float, Meta(ge=MIN_RUN_SECONDS, le=MAX_RUN_SECONDS)]
JSON_TYPE = "application/json"
Sticky = Annotated[str, Meta(min_length=1, max_length=MAX_KEY_CHARS)]
StickyKey = Callable[[], str | None]
"""Gives the key by which a split chooses; it is asked for only where an alias is split."""
CALLER_ID = "X-Caller-Id"
FALLBACK = "fallback"
"""The alias of the version that answers while another is paused."""


class Submission(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /predict` and `POST /predict/async`."""

    model: str
    """``name``, ``name@alias`` or ``name:version``."""
    features: SubmittedRows
    """A row as a list or as an object by column name, or a list of such rows. If the model has
    one column, also a list of values, one per row. ``null`` is a missing value."""
    method: str = "predict"
    max_queue_seconds: QueueLimit | UnsetType | None = UNSET
    """How long it may wait in the queue; after that it ends as `expired`. By default the
    version's limit, if it has one."""
    timeout_seconds: RunLimit | UnsetType | None = UNSET
    """How long the computation may take. By default the version's limit, else 300 s."""
    sticky: Sticky | UnsetType = UNSET
    """Key for an alias that is split: one version answers all requests with the same key. By
    default the header `X-Caller-Id`."""
    cache: CacheSetting | UnsetType = UNSET
    """Whether, or for how many seconds, an answer that was computed for the same rows is reused.
    By default as the model's setting says."""
    webhook: Webhook | UnsetType = UNSET
    """Where to send an event once there is an outcome."""
    priority: Priority = "normal"
    """`high`: before other predictions of the same caller; `low`: behind them."""


def read_body(request: Request, bound: int, kinds: Collection[str] = (JSON_TYPE,)) -> bytes:
    """Read the body, at most ``bound`` bytes; raises `UnsupportedMediaType` or `TooLarge`."""
    if request.mimetype not in kinds:
        raise UnsupportedMediaType(f"the body must be {' or '.join(kinds)}")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("the body must not be compressed")
    # Without Content-Length, Flask reads one byte beyond the bound, see `create_flask`.
    # Not cached, or Flask would keep the bytes until the request has ended.
    if (request.content_length or 0) > bound or len(body := request.get_data(cache=False)) > bound:
        raise TooLarge(f"the body may have at most {bound} bytes")
    return body


def parse_submission(body: bytes, max_rows: int, model: str | None = None) -> Submission:
    """Parse a body; raises `Malformed`, `Invalid` or `TooLarge`.

    ``model``: the reference in the path, if it is there; then the body need not have one.
    """
    # Counted before it is parsed: parsed JSON takes many times its bytes, and no other request of
    # this process is served while a body is parsed.
    refuse_many_containers(body, max_rows)
    refuse_many_values(body)
    given = decode(body)
    if model is not None and isinstance(given, dict) and given.setdefault("model", model) != model:
        msg = f"the path names the model {model!r}, and the body another one"
        raise Invalid(msg, errors=[Detail(("model",), msg)])
    return converted(given, Submission)


def idempotency(request: Request, content: Callable[[], bytes]) -> Idempotency | None:
    """The `Idempotency-Key` header with a hash of the payload; None if it was not sent."""
    return identified(request.headers.get("Idempotency-Key"), content)


def identified(key: str | None, content: Callable[[], bytes]) -> Idempotency | None:
    """An idempotency key with a hash of the payload; None without one. Raises `Invalid`."""
    return None if key is None else Idempotency(checked_key(key), payload_hash(content()))


def checked_key(key: str) -> str:
    """Return an idempotency key; raises `Invalid` if it is empty or too long."""
    if not 0 < len(key) <= MAX_KEY_CHARS:
        raise Invalid(f"an Idempotency-Key has 1 to {MAX_KEY_CHARS} characters")
    return key


def payload_hash(content: bytes) -> str:
    """A hash of a payload, by which a key is known to come with the same one again."""
    return blake2b(content, digest_size=16).hexdigest()


def sticky_key(request: Request) -> str | None:
    """The key of a request by its headers: a request that is repeated keeps its version."""
    return request.headers.get(CALLER_ID) or request.headers.get("Idempotency-Key")


def prepare_prediction(
    submission: Submission,
    registry: Registry,
    settings: Settings,
    caller: Caller,
    key: StickyKey = lambda: None,
) -> Prediction:
    """Resolve the model and check the rows against its signature.

    ``key``: of the request, if the submission has none. Raises `NotFound`, also for a model that
    the caller does not see, `Invalid` or `TooLarge`.
    """
    # Before the registry is asked, so that a model that the caller does not see and one that does
    # not exist get the same answer.
    check_seen(caller, submission.model)
    resolved = registry.resolve(submission.model)
    return prepare_resolved(submission, resolved, settings, caller, key)


def prepare_resolved(
    submission: Submission, resolved: Resolved, settings: Settings, caller: Caller, key: StickyKey
) -> Prediction:
    """`prepare_prediction` for a model that is resolved already."""
    arm = None
    if resolved.split is not None:
        given = submission.sticky or key()
        resolved = resolved.chosen(given)
        arm = Arm.of(resolved.share, given) if resolved.share else None
    manifest, own = resolved.manifest, resolved.deployment
    if own is not None and own.refuses:
        raise DeploymentStopped(f"the deployment {own.reference} is stopped")
    check_method(manifest, submission.method)
    signature = input_of(manifest.signature, submission.method)
    rows = _checked_rows(signature, submission.features, settings.max_rows)
    hook = target(submission.webhook, settings) if submission.webhook else None
    # By this host's clock. Scripts compare the deadline with Redis's clock, so a difference between
    # the two lengthens or shortens the wait (the metric `predictq_clock_skew_seconds`).
    now, may_wait = time.time(), submission.max_queue_seconds or manifest.max_queue_seconds
    return Prediction(
        model=manifest.name,
        version=manifest.version,
        alias=resolved.alias,
        method=submission.method,
        features=rows,
        created_at=now,
        queue_deadline=now + may_wait if may_wait else None,
        timeout_seconds=_run_limit(submission.timeout_seconds or manifest.timeout_seconds, own),
        queue=own.queue if own else PREDICT_QUEUE,
        arm=arm,
        # An answer that is reused takes neither a worker nor a message, and records no event.
        reuse=None
        if hook
        else reuse_of(submission.cache, resolved, submission.method, rows, caller.tenant),
        webhook=hook,
        tenant=caller.tenant,
        throttle=caller.throttle,
        flow=caller.flow,
        priority=submission.priority,
        sending=caller.sending and caller.sending.another(),
    )


def _run_limit(asked: float | None, own: Deployment | None) -> float | None:
    """The least of the limits that there are."""
    limits = [limit for limit in (asked, own and own.timeout) if limit]
    return min(limits, default=None)


def fallback(
    submission: Submission,
    refused: int,
    registry: Registry,
    settings: Settings,
    caller: Caller,
    key: StickyKey,
) -> Prediction | None:
    """Prepare the submission for the model's fallback version; None if there is none that fits.

    ``refused``: the version that is paused. A caller that named a version by number never gets
    another one.
    """
    reference = names.parse_reference(submission.model)
    if reference.version is not None:
        return None
    try:
        model = f"{reference.name}@{FALLBACK}"
        instead = prepare_prediction(
            msgspec.structs.replace(submission, model=model), registry, settings, caller, key
        )
    except PredictqError:
        # Whatever is wrong with the fallback, the caller is told that its own version is paused.
        return None
    # The alias may point to the paused version itself.
    return None if instead.version == refused else instead


def _checked_rows(signature: Signature, features: Any, bound: int) -> list[list[Any]] | ArrowRows:
    """Rows that a model takes; the values of an Arrow stream are checked where it is decoded.

    ``features``: as in a `Submission`; or a function that gives them for a signature, whose columns
    may stand in another order for each version of a model.
    """
    if not isinstance(features, ArrowRows):
        given = features(signature) if callable(features) else features
        _refuse_many_rows(signature, given, bound)
        return validation.rows(signature, given)
    # The API reads only the head of a stream: decoded, its values may take any amount of memory.
    if not features:
        raise InvalidFeatures("an Arrow stream must have at least one row")
    column_positions(signature, features.names)
    return features


def _refuse_many_rows(signature: Signature, features: Any, bound: int) -> None:
    if (rows := validation.count(signature, features)) > bound:
        raise TooLarge(f"a request may have at most {bound} rows, this one has {rows}")
