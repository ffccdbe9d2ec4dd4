"""The `predictq models status` command: how each version is served by a running stack."""

from typing import Any

import click

from cli.http import as_json as printed
from cli.http import as_json_option, ask, url_option
from cli.text_table import text_table

_HEADER = ("VERSION", "STATUS", "ALIASES", "WORKERS", "SUCCEEDED", "FAILED", "P50", "P99")


@click.command()
@as_json_option
@url_option
def status(as_json: bool, url: str | None) -> None:
    """Show how each version is served: state, aliases, workers that hold it, counts, latencies."""
    found = ask(url, "GET", "models/status")
    if as_json:
        click.echo(printed(found))
        return
    click.echo(text_table(_HEADER, map(_line, found["versions"])))
    for state in found["checking"]:
        waits = f", waits for {state['waiting_for']}" if "waiting_for" in state else ""
        click.echo(f"{state['model']}:{state['version']} is checked{waits}")


def _line(version: dict[str, Any]) -> tuple[str, ...]:
    outcomes = version["outcomes"]
    return (
        f"{version['model']}:{version['version']}",
        "paused" if version["paused"] else version["status"],
        ",".join(_share(*each) for each in version["shares"].items()) or "-",
        ",".join(version["workers"]) or "-",
        str(outcomes.get("succeeded", 0)),
        str(outcomes.get("failed", 0)),
        _seconds(version["p50_seconds"]),
        _seconds(version["p99_seconds"]),
    )


def _share(alias: str, percent: int) -> str:
    return alias if percent == 100 else f"{alias}={percent}%"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g} s"
