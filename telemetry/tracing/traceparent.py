"""The header `traceparent`, as W3C Trace Context defines it."""

import os
import re
from typing import NamedTuple

TRACEPARENT = "traceparent"
MAX_TRACEPARENT_CHARS = 512
"""Characters beyond which a header is not read. Later versions may append to the 55 of today."""
_form = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_SAMPLED = 1
"""The bit of the flags that says so."""


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


def sampled_context(text: object) -> SpanContext | None:
    """The context in a header that any producer may have written, if it is valid and sampled."""
    found = parse_traceparent(text) if isinstance(text, str) else None
    return found if found is not None and found.is_sampled else None


def new_trace_id() -> str:
    """A random id of a trace."""
    return os.urandom(16).hex()


def new_span_id() -> str:
    """A random id of a span.

    By the operating system: a model may seed the generator of its process.
    """
    return os.urandom(8).hex()
