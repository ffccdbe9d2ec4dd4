"""The choice of the requests that are traced, by OpenTelemetry's standard variables."""

import logging
import os
import random
from typing import NamedTuple

from telemetry.tracing.traceparent import SpanContext, new_span_id

log = logging.getLogger(__name__)
SAMPLER, ARGUMENT = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
_DEFAULT = "parentbased_always_on"
_RATIOS: dict[str, float | None] = {"always_on": 1.0, "always_off": 0.0, "traceidratio": None}
_PARENT = "parentbased_"
_ALL = 1 << 64


class TraceSampler(NamedTuple):
    """Decides as OpenTelemetry's samplers of these names do."""

    bound: int
    """Traces whose last 64 bits are below it are sampled."""
    follows_parent: bool
    """Whether the decision of the caller holds, if it has made one."""

    def sampled_trace(self, caller: SpanContext | None) -> str | None:
        """The id of the trace of a request, the caller's or a new one; None if not sampled."""
        if caller is None:
            # The bits that decide are drawn first: a request that is not sampled needs no id.
            low = random.getrandbits(64)
            return f"{new_span_id()}{low:016x}" if low < self.bound else None
        if self.follows_parent:
            return caller.trace_id if caller.is_sampled else None
        return caller.trace_id if int(caller.trace_id[16:], 16) < self.bound else None


def sampler() -> TraceSampler:
    """The sampler that the environment names; without a valid name, OpenTelemetry's default."""
    name = os.environ.get(SAMPLER) or _DEFAULT
    if name.removeprefix(_PARENT) not in _RATIOS:
        log.warning("%s=%s is not known, so it is %s", SAMPLER, name, _DEFAULT)
        name = _DEFAULT
    ratio = _RATIOS[name.removeprefix(_PARENT)]
    return TraceSampler(
        round((_ratio() if ratio is None else ratio) * _ALL), name.startswith(_PARENT)
    )


def _ratio() -> float:
    given = os.environ.get(ARGUMENT) or "1"
    try:
        ratio = float(given)
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        log.warning("%s=%s is no share from 0 to 1, so it is 1", ARGUMENT, given)
        return 1.0
    return ratio
