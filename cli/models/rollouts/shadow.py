"""The command `predictq models shadow`: a version is asked as well, and its answers compared."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from cli.http import as_json as printed
from cli.http import as_json_option, ask, url_option
from cli.models.causes import cause_of, why_option
from cli.models.rollouts.plots import as_svg, as_text

DECISIVE = 20.0
"""Evidence of agreement at which the shadow agrees."""
_WHAT = "evidence of agreement"


@click.command()
@click.argument("name")
@click.argument("version", default="status", metavar="VERSION|stop|status")
@click.option("--alias", default="production", show_default=True)
@click.option("--rate", default=10.0, show_default=True, help="Percent of predictions to copy.")
@click.option(
    "--tolerance",
    default=0.01,
    show_default=True,
    help="Difference up to which numbers count as equal.",
)
@click.option("--examples", is_flag=True, help="Print rows for which the answers differed.")
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), help="File to write the plot to."
)
@why_option
@as_json_option
@url_option
def shadow(
    name: str,
    version: str,
    alias: str,
    rate: float,
    tolerance: float,
    examples: bool,
    svg: Path | None,
    why: str,
    as_json: bool,
    url: str | None,
) -> None:
    """Copy a share of an alias's predictions to VERSION of NAME, and compare the answers.

    Callers get only the answers of the alias. Without VERSION, the comparison is shown.
    """
    path, query = f"models/{name}/shadow", urlencode({"alias": alias})
    cause = cause_of(why)
    told = {"by": cause.by, "why": cause.why}
    if version == "stop":
        found = ask(url, "DELETE", f"{path}?{query}&{urlencode(told)}")
    elif version == "status":
        found = ask(url, "GET", f"{path}?{query}")
    else:
        body = {"version": _number(version), "alias": alias, "rate": rate, "tolerance": tolerance}
        found = ask(url, "PUT", path, body | told)
    shown = ask(url, "GET", f"{path}/examples?{query}")["examples"] if examples else []
    if svg is not None:
        svg.write_text(as_svg(found["path"], DECISIVE, _WHAT))
    lines = _lines(found, shown, stopped=version == "stop")
    click.echo(printed(found | {"examples": shown}) if as_json else "\n".join(lines))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise click.BadParameter(f"{text!r} is neither a version, nor stop, nor status")
    return int(text)


def _lines(found: dict[str, Any], examples: list[dict[str, Any]], *, stopped: bool) -> list[str]:
    verdict, what = found["verdict"], f"{found['model']}:{found['version']}"
    share = 1 - found["disagreed"] / found["rows"] if found["rows"] else None
    agreed = "-" if share is None else f"{share:.2%}"
    state = "was" if stopped else "is"
    alias = f"{found['model']}@{found['alias']}"
    rows = f"{found['rows']:,} rows compared, {agreed} agree"
    against = f"of disagreement {verdict['against_it']:.3g} of 100"
    lines = [
        f"{what} {state} a shadow of {alias}: {found['rate']:g} % of its predictions",
        f"{rows}, {found['failed']:,} failed, {found['dropped']:,} copies dropped",
        f"verdict: {verdict['decision']}: {_WHAT} {verdict['for_it']:.3g} of 20, {against}",
    ]
    lines += as_text(found["path"], DECISIVE, _WHAT, "rows") if found["path"] else []
    return lines + [f"{each['stable']} / {each['shadow']}  {each['row']}" for each in examples]
