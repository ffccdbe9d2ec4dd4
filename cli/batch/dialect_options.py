"""Command line options of the CSV dialect, and how a dialect is printed."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from tasks.jobs.files.dialect import DELIMITER, MISSING_TEXTS

Command = TypeVar("Command", bound=Callable[..., Any])
_NAMES = {"\t": "tab", " ": "space"}


class Delimiter(click.ParamType[str]):
    r"""One character; ``tab`` and ``\t`` mean the tab, which is hard to type in a shell."""

    name = "character"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = {"tab": "\t", "\\t": "\t"}.get(value, str(value))
        if not DELIMITER.fullmatch(text):
            self.fail(
                f"{value!r} is not a field separator; give one character, such as ;", param, ctx
            )
        return text


_OPTIONS = (
    click.option(
        "--delimiter", type=Delimiter(), metavar="C", help="Field separator of CSV, or `tab`."
    ),
    click.option("--header/--no-header", default=None, help="Whether CSV has a header."),
    click.option("--decimal", type=click.Choice([".", ","]), help="Decimal separator in CSV."),
    click.option(
        "--na", multiple=True, metavar="TEXT", help="CSV text for a missing value; repeatable."
    ),
)


def dialect_options(command: Command) -> Command:
    """Add options of the dialect; those that are not given are detected."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def dialect_text(report: dict[str, Any]) -> list[str]:
    """Lines on the ignored columns and the dialect of an input."""
    lines = [ignored_text(report["ignored"])] if report.get("ignored") else []
    if delimiter := report.get("delimiter"):
        header = "a header" if report["header"] else "no header"
        told = [word for word in report["na"] or () if word not in MISSING_TEXTS]
        more = [f"missing: {', '.join(map(repr, told))}"] if told else []
        commas = ["decimal ','"] if report.get("decimal") == "," else []
        named = _NAMES.get(delimiter, repr(delimiter))
        lines.append("; ".join([f"read as CSV with {header}, delimiter {named}", *commas, *more]))
    return lines


def ignored_text(names: Iterable[str]) -> str:
    """A line on columns that the model does not have."""
    return f"ignored: {', '.join(names)}"
