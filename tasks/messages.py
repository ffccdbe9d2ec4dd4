"""The payload of a prediction, and its encoding on the queue (Celery protocol 2, as kombu's)."""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any, Literal

import msgspec

from tasks.arrow.stream import ArrowRows
from tasks.callers.caller import DEFAULT_TENANT, Throttle
from tasks.targets.webhook import Target
from tasks.wire import decode, encode
from telemetry.errors import Invalid, Malformed
from telemetry.tracing.traceparent import TRACEPARENT
from telemetry.tracing.tracer import Sending

PREDICT_TASK = "tasks.prediction.predict"
"""The name of the prediction task; `tasks.prediction`, which defines it, imports Celery."""
PREDICT_QUEUE = "predict"
"""The queue of predictions without a deployment."""


Priority = Literal["high", "normal", "low"]
"""Within the predictions of one caller."""


class Arm(msgspec.Struct, frozen=True, array_like=True):
    """The choice of a version by a split alias, by which outcomes are compared."""

    share: Annotated[int, msgspec.Meta(ge=1, le=99)]
    """The percent of the requests that this version had at submission."""
    key: Annotated[str, msgspec.Meta(max_length=16)] = ""
    """A hash of the sticky key; empty if the request had none."""

    @classmethod
    def of(cls, share: int, key: str | None) -> "Arm":
        """The arm of a request with this sticky key."""
        given = key.encode(errors="surrogatepass") if key else b""
        return cls(share, blake2b(given, digest_size=8).hexdigest() if given else "")


class Reuse(msgspec.Struct, frozen=True):
    """Allows a prediction to have the answer of another one with the same answer key."""

    key: str
    """A hash of all that the answer depends on."""
    seconds: float
    """For how long an answer is reused; 0 goes by what it cost to compute."""


class CopyOf(msgspec.Struct, frozen=True):
    """The answer with which that of a copy is compared, and the tolerance."""

    split: str
    """``model@alias``."""
    since: int
    """When the shadow began."""
    version: int
    """The version that answered the caller."""
    tolerance: float
    predictions: list[Any]


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """One request: 1 to N rows for one version of a model."""

    model: str
    version: int
    alias: str | None
    """The alias that named the version at submission, if one did."""
    method: str
    features: list[list[Any]] | ArrowRows
    """Rows of values, in the signature's column order; None is a missing value. Or an Arrow stream,
    whose values only a worker reads."""
    created_at: float
    """Unix seconds."""
    queue_deadline: float | None = None
    """Unix seconds after which no worker starts it."""
    queue: str = PREDICT_QUEUE
    """The queue of a deployment, or the one of all other predictions."""
    timeout_seconds: float | None = None
    """Limit of the computation in seconds; None applies `MAX_RUN_SECONDS` alone."""
    arm: Arm | None = None
    """None unless the alias is split."""
    reuse: Reuse | None = None
    """None: it is computed in any case."""
    webhook: Target | None = None
    """Where the outcome is told. It is no part of the message."""
    tenant: str = DEFAULT_TENANT
    """The tenant of the job; callers of other tenants do not see it."""
    throttle: Throttle | None = None
    """The limits of the key that submits it."""
    flow: str = ""
    """The flow of the caller that submits it. It is no part of the message."""
    priority: Priority = "normal"
    """Before or behind others of its caller. It is no part of the message."""
    copy_of: CopyOf | None = None
    """None unless it is a copy for a shadow."""
    sending: Sending | None = None
    """The span of the request that submits it, if it is sampled."""

    @property
    def kwargs(self) -> dict[str, Any]:
        """The task's keyword arguments, as a stock Celery producer would send them."""
        given = self.features
        return {
            "model": f"{self.model}:{self.version}",
            **({"arrow": given.content} if isinstance(given, ArrowRows) else {"features": given}),
            "method": self.method,
            "created_at": self.created_at,
            **({"alias": self.alias} if self.alias else {}),
            **({"arm": self.arm} if self.arm else {}),
            **({"tenant": self.tenant} if self.tenant != DEFAULT_TENANT else {}),
            **({"copy_of": self.copy_of} if self.copy_of else {}),
        }

    def describe(self) -> str:
        """The text that Flower shows in place of the rows."""
        return f"{self.model}:{self.version}.{self.method}, {len(self.features)} row(s)"


class Idempotency(msgspec.Struct, frozen=True):
    """Identifies a request that a caller may repeat without a second prediction."""

    key: str
    fingerprint: str
    """Fingerprint of the payload. The same key with another fingerprint is a conflict."""

    def of(self, tenant: str) -> "Idempotency":
        """A copy for one tenant, so that two tenants may use the same key."""
        if tenant == DEFAULT_TENANT:
            return self
        # No header field, and so no key of a caller, can hold this separator.
        return Idempotency(f"{tenant}\0{self.key}", self.fingerprint)


def envelope(task: str, task_id: str, queue: str, prediction: Prediction) -> bytes:
    """Encode a prediction as one message."""
    told = {
        "rows": len(prediction.features),
        "batch": f"{prediction.model}:{prediction.version} {prediction.method}",
        **({"tenant": prediction.tenant} if prediction.tenant != DEFAULT_TENANT else {}),
    }
    return enclosed(
        *(task, task_id, queue, told, prediction.kwargs, prediction.describe()),
        expires=_iso(prediction.queue_deadline),
        limit=prediction.timeout_seconds,
        traceparent=prediction.sending.traceparent if prediction.sending else None,
    )


def enclosed(
    task: str,
    task_id: str,
    queue: str,
    told: dict[str, Any],
    kwargs: dict[str, Any],
    shown: str,
    *,
    expires: str | None = None,
    limit: float | None = None,
    traceparent: str | None = None,
) -> bytes:
    """Encode one message in kombu's layout; the delivery tag is the id.

    ``told`` are headers for scripts and workers, which then need not read the body.
    """
    # Apart from the body, all values are our own strings and numbers, so plain JSON is enough.
    return msgspec.json.encode(
        {
            "headers": {
                **told,  # must come first: the Lua scripts match them at the start of the message
                "lang": "py",
                "task": task,
                "id": task_id,
                **({"expires": expires} if expires else {}),
                **({"timelimit": [limit, None]} if limit else {}),
                **({TRACEPARENT: traceparent} if traceparent else {}),
                "kwargsrepr": shown,
            },
            "properties": {
                "correlation_id": task_id,
                "delivery_info": {"exchange": "", "routing_key": queue},
                "delivery_tag": task_id,
            },
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "body": encode([[], kwargs, {}]).decode(),
        }
    )


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


class Call(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The arguments of the task, as a worker reads them. Any producer may have sent them."""

    model: str
    """``name``, ``name@alias`` or ``name:version``."""
    features: Any = None
    method: str = "predict"
    alias: str | None = None
    created_at: Annotated[float, msgspec.Meta(ge=0, lt=1e11)] | None = None
    """Unix seconds until the year 5138, so that they can be added to and printed; no NaN."""
    arrow: bytes | None = None
    """The rows as an Arrow stream, in base64; then there are no features."""
    arm: Arm | None = None
    tenant: str = DEFAULT_TENANT
    copy_of: CopyOf | None = None

    def __post_init__(self) -> None:
        if (self.features is None) == (self.arrow is None):
            raise ValueError("the task takes either `features` or `arrow`")


_ours = msgspec.json.Decoder(tuple[tuple[()], Call, Any])


def read_call(body: bytes) -> Call:
    """The arguments in a message's body; raises `Malformed` or `Invalid`."""
    try:
        return _ours.decode(body)[1]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _read_any_call(body)


def _read_any_call(body: bytes) -> Call:
    """Accepts what stock producers send: positional arguments, and ``NaN`` or ``Infinity``."""
    match decode(body):
        case [[*args], {**kwargs}, _] if len(args) <= len(Call.__struct_fields__):
            given = dict(zip(Call.__struct_fields__, args, strict=False)) | kwargs
        case _:
            raise Malformed("the body of a message is [args, kwargs, embed]")
    try:
        return msgspec.convert(given, Call)
    except msgspec.ValidationError as error:
        raise Invalid(f"the arguments do not match the task: {error}") from error
