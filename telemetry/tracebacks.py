"""What was raised, as text of bounded length, whatever it was: a model may raise anything."""

from traceback import TracebackException

from telemetry.errors import ModelError, ModelUnloadable, PredictqError

BOUND = 8 * 2**10
"""Bytes of a traceback; of a longer one the end is kept."""
LINE = 2**10
"""Characters of each of its parts: a long message must not push out where it was raised."""
FRAMES = 50
"""Of each exception, the innermost."""
SAID = 500
"""Characters of what an exception says."""


def traceback_of(error: BaseException) -> str | None:
    """The last `BOUND` bytes of where it was raised, or what a model raised that became it.

    None where it is an error of ours, which is plain without one.
    """
    origin = _origin(error)
    if origin is None:
        return None
    told = TracebackException.from_exception(origin, limit=-FRAMES, compact=True)
    text = "".join(map(_short, told.format()))
    return text.encode(errors="replace")[-BOUND:].decode(errors="ignore")


def said(error: BaseException) -> str:
    """Its kind, and what it says of itself, if it can."""
    try:
        words = f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - it is a stranger's code
        words = type(error).__name__
    return words[:SAID].encode(errors="replace").decode()


def _origin(error: BaseException) -> BaseException | None:
    if isinstance(error, ModelError | ModelUnloadable):
        return error.__cause__
    return None if isinstance(error, PredictqError) else error


def _short(part: str) -> str:
    return part if len(part) <= LINE else f"{part[:LINE]}…\n"
