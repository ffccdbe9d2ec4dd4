"""The `prove` command, which runs `benchmarks.prove`."""

import os
import sys

import click

from stack.process import ROOT


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def prove(arguments: tuple[str, ...]) -> None:
    """Inject faults into a private stack under load, and account for every accepted id."""
    if not (ROOT / "benchmarks" / "prove").exists():
        raise click.ClickException("`prove` is not part of an installed package; run it in a clone")
    os.chdir(ROOT)
    command = [sys.executable, "-m", "benchmarks.prove", *arguments]
    os.execv(sys.executable, command)  # noqa: S606 - no shell
