"""Tracebacks have a bounded length, for any exception."""

import pytest

from telemetry.errors import InvalidFeatures, ModelError
from telemetry.tracebacks import MAX_TRACEBACK_BYTES, error_text, traceback_of


class Mute(Exception):
    """An exception whose text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError


def raised(error: Exception, depth: int = 0) -> Exception:
    """The exception, raised at this depth of calls."""

    def raise_below(depth: int) -> None:
        if depth:
            raise_below(depth - 1)
        raise error

    with pytest.raises(type(error)) as caught:
        raise_below(depth)
    return caught.value


def of_a_model(origin: Exception) -> ModelError:
    error = ModelError(error_text(origin))
    error.__cause__ = origin
    return error


def test_traceback_of_a_model_error_is_the_model_s() -> None:
    told = traceback_of(of_a_model(raised(ValueError("too much"))))
    assert told
    assert told.startswith("Traceback (most recent call last)")
    assert "raise error" in told
    assert told.endswith("ValueError: too much\n")
    assert "ModelError" not in told


def test_traceback_of_an_unforeseen_error() -> None:
    assert (traceback_of(raised(KeyError("x"))) or "").endswith("KeyError: 'x'\n")


@pytest.mark.parametrize("error", [InvalidFeatures("no"), ModelError("gave None")])
def test_our_errors_have_no_traceback(error: Exception) -> None:
    assert traceback_of(raised(error)) is None


@pytest.mark.parametrize(
    "error",
    [
        ValueError("ä" * 10**6),
        ValueError("\n" * 10**6),
        ValueError("half \udc80"),
        ExceptionGroup("many", [ValueError("ä" * 1000)] * 1000),
        Mute(),
    ],
    ids=["long", "lines", "half a character", "a group", "mute"],
)
def test_traceback_is_bounded_and_says_where(error: Exception) -> None:
    told = traceback_of(raised(error))
    assert told
    assert "raise error" in told or isinstance(error, ExceptionGroup)
    assert len(told.encode()) <= MAX_TRACEBACK_BYTES


def test_traceback_of_a_deep_stack_is_its_end() -> None:
    told = traceback_of(raised(ValueError("deep"), 500))
    assert told
    assert len(told.encode()) <= MAX_TRACEBACK_BYTES
    assert told.endswith("ValueError: deep\n")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("no"), "ValueError: no"),
        (ValueError("x" * 1000), "ValueError: " + "x" * 488),
        (ValueError("half \udc80"), "ValueError: half ?"),
        (Mute(), "Mute"),
    ],
    ids=["plain", "long", "half a character", "mute"],
)
def test_message_of_an_error(error: Exception, told: str) -> None:
    assert error_text(error) == told
