"""The header `traceparent`: what is valid is read, and anything else is ignored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.tracing.traceparent import (
    MAX_TRACEPARENT_CHARS,
    SpanContext,
    new_span_id,
    new_trace_id,
    parse_traceparent,
    sampled_context,
)

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
VALID = f"00-{TRACE}-{SPAN}-01"


def test_header_is_read() -> None:
    assert parse_traceparent(VALID) == SpanContext(TRACE, SPAN, is_sampled=True)
    assert parse_traceparent(f"00-{TRACE}-{SPAN}-00") == SpanContext(TRACE, SPAN, is_sampled=False)


@pytest.mark.parametrize(("flags", "is_sampled"), [("03", True), ("02", False), ("ff", True)])
def test_only_one_bit_of_the_flags_says_that_it_is_sampled(flags: str, is_sampled: bool) -> None:
    found = parse_traceparent(f"00-{TRACE}-{SPAN}-{flags}")
    assert found is not None
    assert found.is_sampled is is_sampled


@pytest.mark.parametrize("text", [f"01-{TRACE}-{SPAN}-01", f"fe-{TRACE}-{SPAN}-01-more-of-it"])
def test_later_versions_are_read_as_far_as_they_are_known(text: str) -> None:
    assert parse_traceparent(text) == SpanContext(TRACE, SPAN)


@pytest.mark.parametrize(
    "text",
    [
        *("", "00", " ", "-", "---", VALID[:-1], VALID + " ", " " + VALID, VALID + "\n"),
        *(VALID.upper(), VALID + "-", VALID + "-00", VALID.replace("-", "_")),
        *("ff" + VALID[2:], "0g" + VALID[2:], "0x" + VALID[2:]),
        *(f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE}-{SPAN}-0g"),
        f"00-{TRACE}-{SPAN}-01, {VALID}",
        f"01-{TRACE}-{SPAN}-01.more",
        f"01-{TRACE}-{SPAN}-01-" + "a" * MAX_TRACEPARENT_CHARS,
        "<script>alert(1)</script>",
        "0" * 2**16,
        VALID * 1000,
        f"00-{TRACE}-{SPAN}-٠١",  # noqa: RUF001 - digits of another script
    ],
)
def test_what_is_not_valid_is_ignored(text: str) -> None:
    assert parse_traceparent(text) is None


@given(st.text(max_size=200) | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]*-[0-9a-f]*-[0-9a-f]*"))
def test_what_is_read_is_written_as_it_was(text: str) -> None:
    found = parse_traceparent(text)
    if found is not None:
        assert parse_traceparent(found.text) == found


@pytest.mark.parametrize("told", [None, 1, ["00"], {}, b"00", VALID[:-1] + "0", "x"])
def test_a_producer_may_write_anything(told: object) -> None:
    assert sampled_context(told) is None


def test_new_ids_are_valid() -> None:
    made = SpanContext(new_trace_id(), new_span_id())
    assert sampled_context(made.text) == made
