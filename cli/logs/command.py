"""The command `predictq logs`: searches the logs of a home, and follows them."""

from contextlib import suppress
from pathlib import Path

import click

from cli import find_stack
from cli.failure import Failure
from cli.logs.criteria import Criteria
from cli.logs.following import FollowedHome
from cli.logs.formatting import entry_json, entry_text
from cli.logs.heads import LOG_LEVELS
from cli.logs.log_files import current_logs
from cli.logs.moments import Moment
from cli.logs.searching import search

MAX_FOUND = 100_000


@click.command()
@click.option("--id", "id_", metavar="ID", help="Only lines with this id in a field.")
@click.option("--model", help="Only lines of this model, as churn or churn:3.")
@click.option(
    "--level", type=click.Choice(LOG_LEVELS), help="Only lines of this level or a graver one."
)
@click.option("--since", type=Moment(), help="Only lines after this: 1h ago, or 2026-11-30T14:05.")
@click.option("--until", type=Moment(), help="Only lines before this.")
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_FOUND),
    default=100,
    show_default=True,
    help="The newest that are found, at most.",
)
@click.option("--follow", is_flag=True, help="Go on with lines as they are written, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines, with all fields.")
@find_stack.for_registry
def logs(
    id_: str | None,
    model: str | None,
    level: str | None,
    since: float | None,
    until: float | None,
    limit: int,
    follow: bool,
    as_json: bool,
    home: Path,
) -> None:
    """Search the logs of all processes by their fields, in order of time."""
    if not current_logs(home):
        raise Failure(f"there are no logs in {home / 'logs'}; in containers, the engine keeps them")
    bounds = {name: at for name, at in (("since", since), ("until", until)) if at is not None}
    criteria = Criteria(id=id_, model=model, level=level, **bounds)
    shown = entry_json if as_json else entry_text
    followed = FollowedHome(home) if follow else None
    for entry in search(home, criteria, limit, followed.ends if followed else None):
        click.echo(shown(entry))
    if followed is not None:
        with suppress(KeyboardInterrupt):
            for entry in followed.entries(criteria):
                click.echo(shown(entry))
