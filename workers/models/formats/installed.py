"""Formats that installed packages add: entry points of the group `predictq.runtimes`."""

import logging
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from workers.models.formats.model_format import ModelFormat

log = logging.getLogger(__name__)
GROUP = "predictq.runtimes"
"""Each entry point of this group names a `ModelFormat`."""


@cache
def installed_formats() -> tuple[ModelFormat, ...]:
    """The formats of installed packages, by the names of their entry points.

    Those that cannot be imported, or are no formats, are logged and left out.
    """
    found = sorted(entry_points(group=GROUP), key=lambda each: each.name)
    return tuple(made for each in found if (made := _format(each)))


def _format(entry: EntryPoint) -> ModelFormat | None:
    try:
        made = entry.load()
    except Exception:  # a foreign package may raise anything, and other formats do not need it
        log.exception("a runtime cannot be imported", extra={"runtime": entry.name})
        return None
    if not isinstance(made, ModelFormat):
        fields = {"runtime": entry.name, "type": type(made).__name__}
        log.error("a runtime is no ModelFormat", extra=fields)
        return None
    return made
