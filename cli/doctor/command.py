"""The `doctor` command: prints the findings, and exits with 0, 1 or 2 by the worst of them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cli import find_stack
from cli.doctor.checklist import findings_of
from cli.doctor.finding import LEVELS, Finding, worst
from cli.failure import Failure
from cli.http import as_json as printed
from cli.http import as_json_option
from telemetry.errors import PredictqError


class _Doctor(click.Command):
    """Exits with 2, not 1, if nothing can be checked: 1 means that there are only warnings."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            click.echo(f"error: {error.format_message()}", err=True)
            ctx.exit(LEVELS.index("fail"))


@click.command(cls=_Doctor)
@as_json_option
@find_stack.for_registry
@click.pass_context
def doctor(ctx: click.Context, as_json: bool, home: Path) -> None:
    """Check everything that a stack needs, and print what to do.

    Each line says pass, warn or fail, and what to do. The exit code is that of the worst line: 0, 1
    or 2. If the stack runs, doctor asks each model for one prediction, and one
    model for 200 more.
    """
    found = list(_told(home, quiet=as_json))
    level = worst([finding.level for finding in found])
    if as_json:
        click.echo(printed({"level": level, "findings": found}))
    else:
        counts = Counter(finding.level for finding in found)
        click.echo(", ".join(f"{counts[each]} {each}" for each in LEVELS))
    ctx.exit(LEVELS.index(level))


def _told(home: Path, *, quiet: bool) -> Iterator[Finding]:
    """The findings; each is printed as soon as it is there, unless ``quiet``."""
    try:
        for finding in findings_of(home):
            if not quiet:
                click.echo(_line(finding))
            yield finding
    except (OSError, PredictqError) as error:
        raise Failure(f"{home} cannot be read: {error}") from error


def _line(finding: Finding) -> str:
    line = f"{finding.level}  {finding.check:<17}  {finding.message}"
    return f"{line}\n      {finding.remedy} ({finding.see})" if finding.remedy else line
