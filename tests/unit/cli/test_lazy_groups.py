"""Command groups list their commands without importing them."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from cli.lazy import LazyGroup
from cli.main import main
from cli.models.commands import models
from stack.process import ROOT

LISTED = """
import sys
from cli.main import main
main([*{words}, "--help"], standalone_mode=False)
light = {{"workers", "workers.short_imports"}}
slow = {{name for name in sys.modules if name.partition(".")[0] in {slow}}} - light
assert not slow, slow
"""
SLOW = {"sklearn", "numpy", "workers", "celery"}
"""Packages that take long to import, but for the module that shortens imports."""
BOTH = [pytest.param(group, id=group.name) for group in (main, models)]


@pytest.mark.parametrize("group", BOTH)
def test_listed_help_is_the_command_s_help(group: LazyGroup) -> None:
    context = click.Context(group)
    for name, lazy in group.lazy_commands.items():
        command = group.get_command(context, name)
        assert command
        assert command.name == name
        assert " ".join((command.help or "").split("\n\n")[0].split()) == lazy.help


def test_commands_are_all_listed() -> None:
    shown = CliRunner().invoke(models, ["--help"], terminal_width=200).output
    assert "\n  alias        Point ALIAS of the model NAME to VERSION.\n" in shown
    assert (
        "\n  pause        Refuse submissions to NAME:VERSION and park its queued messages" in shown
    )
    assert all(f"\n  {name} " in shown for name in models.list_commands(click.Context(models)))


@pytest.mark.parametrize("words", [[], ["models"]], ids=["predictq", "predictq models"])
def test_help_imports_nothing_that_takes_long(words: list[str]) -> None:
    program = LISTED.format(words=words, slow=SLOW)
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
