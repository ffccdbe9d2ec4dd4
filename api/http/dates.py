"""Dates in header fields: Werkzeug stumbles over those that lie beyond all calendars."""

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.http import parse_date

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
DATE_FIELDS = {
    "HTTP_IF_MODIFIED_SINCE": (),
    "HTTP_IF_UNMODIFIED_SINCE": (),
    "HTTP_IF_RANGE": ("HTTP_RANGE",),
}
"""Header field with a date → fields that are dropped with it if the date is invalid.

`Range` is dropped with `If-Range`: without it, the range might be sent from another file."""


def ignore_invalid_dates(app: Wsgi) -> Wsgi:
    """The application behind a filter that drops fields with invalid dates, as RFC 9110 asks."""

    def passed(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        for name, others in DATE_FIELDS.items():
            if _is_beyond(environ.get(name)):
                for wrong in (name, *others):
                    environ.pop(wrong, None)
        return app(environ, start_response)

    return passed


def _is_beyond(text: str | None) -> bool:
    """Whether it is a date with a number out of range; False for text that is no date."""
    try:
        parse_date(text)
    except OverflowError:
        return True
    return False
