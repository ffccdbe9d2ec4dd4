"""The header `traceparent`, as W3C Trace Context defines it."""

import os
import random
import re
from typing import NamedTuple

TRACEPARENT = "traceparent"
MAX_TRACEPARENT_CHARS = 512
"""Characters beyond which a header is not read. Later versions may append to the 55 of today."""
_form = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_SAMPLED = 1
"""The bit of the flags that says so."""

_random = random.Random()  # noqa: S311 - chance, not a secret
"""A generator of its own: a model may seed the one of its process."""
os.register_at_fork(after_in_child=_random.seed)


class SpanContext(NamedTuple):
    """What one process tells another of a span, so that its spans join the trace."""

    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits."""
    is_sampled: bool = True

    @property
    def text(self) -> str:
        """The value of the header."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.is_sampled):02x}"


def parse_traceparent(text: str) -> SpanContext | None:
    """The context that a header holds; None if it is not valid, and so has to be ignored."""
    read = _form.fullmatch(text) if len(text) <= MAX_TRACEPARENT_CHARS else None
    if read is None:
        return None
    version, trace_id, span_id, flags, rest = read.groups()
    # Version 00 has four fields. A later one has these first, and ff is none.
    if version == "ff" or (version == "00" and rest is not None):
        return None
    if not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return SpanContext(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))


def known_context(traceparent: str) -> SpanContext:
    """The context in a header that was found to be valid and sampled before."""
    _, trace_id, span_id, _ = traceparent.split("-", 3)
    return SpanContext(trace_id, span_id)


def sampled_context(text: object) -> SpanContext | None:
    """The context in a header that any producer may have written, if it is valid and sampled."""
    found = parse_traceparent(text) if isinstance(text, str) else None
    return found if found is not None and found.is_sampled else None


def new_trace_id() -> str:
    """A random id of a trace."""
    return f"{_random.getrandbits(128):032x}"


def new_span_id() -> str:
    """A random id of a span."""
    return f"{_random.getrandbits(64):016x}"
