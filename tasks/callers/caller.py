"""The caller of a request: its key, scopes, tenant, visible models and limits."""

from fnmatch import fnmatchcase
from typing import Annotated

import msgspec
from msgspec.structs import replace

from tasks.callers.rate import Rate
from tasks.callers.scopes import EVERY_SCOPE, Scope
from telemetry.tracing.tracer import Sending

DEFAULT_TENANT = "default"
"""The tenant of callers without a key, and of all that was made before there were tenants."""
EVERY_MODEL = ("*",)


class Limits(msgspec.Struct, frozen=True, omit_defaults=True):
    """The limits of a key; None is no limit."""

    rate: Rate | None = None
    """Predictions in a period."""
    rows: Rate | None = None
    """Rows in a period."""
    in_flight: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    """Predictions that are accepted and have no outcome."""


NO_LIMITS = Limits()


class LeftOfLimit(msgspec.Struct, frozen=True):
    """The rest of a limit."""

    kind: str
    """``requests``, ``rows`` or ``in_flight``."""
    amount: int
    seconds: int
    """Seconds until the limit is restored, if the key sends no further request."""


class LimitUse(msgspec.Struct):
    """The limits of the key of one request, and what is left of them."""

    left: tuple[LeftOfLimit, ...] = ()
    """Empty until the request has submitted a prediction."""


class Throttle(msgspec.Struct, frozen=True):
    """The limits of a key, as they are checked where a prediction is accepted."""

    key: str
    limits: Limits
    use: LimitUse = msgspec.field(default_factory=LimitUse)

    @property
    def text(self) -> str:
        """The limits as an argument of limiting.lua."""
        rates = self.limits.rate, self.limits.rows
        told = " ".join(f"{rate.amount!r} {rate.seconds}" if rate else "0 1" for rate in rates)
        return f"{self.key} {told} {self.limits.in_flight or 0}"


def flow_name(key: str, weight: float) -> str:
    """The flow of a caller; scripts read the weight from it."""
    return f"{key}:{weight:g}"


class Caller(msgspec.Struct, frozen=True):
    """The sender of a request, as its key or its session says."""

    scopes: frozenset[Scope] = frozenset()
    key: str = ""
    """The id of the key; empty without one."""
    name: str = ""
    tenant: str = DEFAULT_TENANT
    models: tuple[str, ...] = EVERY_MODEL
    """Globs of the models that the caller sees: ``churn*``."""
    limits: Limits = NO_LIMITS
    limit_use: LimitUse | None = None
    """The use of the limits by this request, if the key has limits."""
    flow: str = ""
    """What of it waits is drained in turns with other flows. The key and its weight; empty for the
    flow that all callers without a key share."""
    is_everywhere: bool = False
    """Whether the caller also sees predictions and jobs of other tenants."""
    sending: Sending | None = None
    """The span of this request, if it is sampled for traces."""

    @property
    def throttle(self) -> Throttle | None:
        """The limits for its predictions; None if there are none."""
        if self.limits == NO_LIMITS:
            return None
        return Throttle(self.key, self.limits, self.limit_use or LimitUse())

    @property
    def of_request(self) -> "Caller":
        """The caller of one request, which learns what is left of its limits."""
        return self if self.limits == NO_LIMITS else replace(self, limit_use=LimitUse())

    def may(self, scope: Scope) -> bool:
        """Whether the caller has this scope."""
        return scope in self.scopes

    def sees(self, model: str) -> bool:
        """Whether the caller sees the model of this name."""
        return self.sees_all or any(fnmatchcase(model, one) for one in self.models)

    @property
    def sees_all(self) -> bool:
        """Whether the caller sees every model."""
        return self.models == EVERY_MODEL


UNKNOWN_CALLER = Caller()
"""A caller without a key where every request needs one."""
LOCAL_CALLER = Caller(frozenset(("predict", "batch", "models:read", "metrics")))
"""A caller without a key where none is needed: on loopback."""
VIEWER = Caller(EVERY_SCOPE, key="session", name="console", is_everywhere=True)
"""A viewer who has signed in to the console: a session stands for the local key, on pages alone."""
