"""What the commands are told of CSV, and what they say of it."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from tasks.jobs.files.dialect import DELIMITER, MISSING_TEXTS

Command = TypeVar("Command", bound=Callable[..., Any])
_NAMES = {"\t": "tab", " ": "space"}


class Delimiter(click.ParamType[str]):
    r"""One character; ``tab`` and ``\t`` are the tab, which is hard to type."""

    name = "character"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = {"tab": "\t", "\\t": "\t"}.get(value, str(value))
        if not DELIMITER.fullmatch(text):
            self.fail(f"{value!r} separates no fields; give one character such as ;", param, ctx)
        return text


_OPTIONS = (
    click.option(
        "--delimiter", type=Delimiter(), metavar="C", help="Between the fields of CSV; or tab."
    ),
    click.option("--header/--no-header", default=None, help="Whether CSV begins with a header."),
    click.option("--na", multiple=True, metavar="TEXT", help="Missing in CSV; may be repeated."),
)


def dialect_options(command: Command) -> Command:
    """Add ``--delimiter``, ``--header`` and ``--na``; what is not given of them is sniffed."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def dialect_text(report: dict[str, Any]) -> list[str]:
    """What a report says of its input's columns and dialect, in lines."""
    lines = [ignored_text(report["ignored"])] if report.get("ignored") else []
    if delimiter := report.get("delimiter"):
        header = "a header" if report["header"] else "no header"
        told = [word for word in report["na"] or () if word not in MISSING_TEXTS]
        more = [f"missing: {', '.join(map(repr, told))}"] if told else []
        named = _NAMES.get(delimiter, repr(delimiter))
        lines.append("; ".join([f"read as CSV with {header}, delimiter {named}", *more]))
    return lines


def ignored_text(names: Iterable[str]) -> str:
    """Columns that the model does not have."""
    return f"ignored: {', '.join(names)}"
