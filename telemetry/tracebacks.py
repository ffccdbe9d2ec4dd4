"""Tracebacks and exception texts of bounded length; a model may raise anything."""

from traceback import TracebackException

from telemetry.errors import ModelError, ModelUnloadable, PredictqError

MAX_TRACEBACK_BYTES = 8 * 2**10
"""Longest traceback in bytes; of a longer one the end is kept."""
MAX_LINE_CHARACTERS = 2**10
"""Longest part in characters, so that a long message does not displace the frames."""
MAX_FRAMES = 50
"""Innermost frames that are kept of each exception."""
MAX_ERROR_CHARS = 500
"""Longest exception text in characters."""


def traceback_of(error: BaseException) -> str | None:
    """The last `MAX_TRACEBACK_BYTES` of an exception's traceback, or of the model's own below it.

    None for predictq's own errors, which need none.
    """
    origin = _origin(error)
    if origin is None:
        return None
    told = TracebackException.from_exception(origin, limit=-MAX_FRAMES, compact=True)
    text = "".join(map(_short, told.format()))
    return text.encode(errors="replace")[-MAX_TRACEBACK_BYTES:].decode(errors="ignore")


def error_text(error: BaseException) -> str:
    """Type and text of an exception, bounded."""
    try:
        words = f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - a foreign __str__ may raise anything
        words = type(error).__name__
    return words[:MAX_ERROR_CHARS].encode(errors="replace").decode()


def _origin(error: BaseException) -> BaseException | None:
    if isinstance(error, ModelError | ModelUnloadable):
        return error.__cause__
    return None if isinstance(error, PredictqError) else error


def _short(part: str) -> str:
    return part if len(part) <= MAX_LINE_CHARACTERS else f"{part[:MAX_LINE_CHARACTERS]}…\n"
