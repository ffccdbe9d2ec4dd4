"""Groups of commands list what they import only when it is asked for."""

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
slow = {{"sklearn", "numpy", "workers", "celery"}} & {{*sys.modules}}
assert not slow, slow
"""
BOTH = [pytest.param(group, id=group.name) for group in (main, models)]


@pytest.mark.parametrize("group", BOTH)
def test_what_is_listed_is_what_the_command_says(group: LazyGroup) -> None:
    context = click.Context(group)
    for name, place in group.places.items():
        command = group.get_command(context, name)
        assert command
        assert command.name == name
        assert " ".join((command.help or "").split("\n\n")[0].split()) == place.help


def test_all_are_listed() -> None:
    shown = CliRunner().invoke(models, ["--help"], terminal_width=200).output
    assert "\n  alias        Point ALIAS of the model NAME to VERSION.\n" in shown
    assert "\n  pause        Refuse submissions to NAME:VERSION, and park what is queued" in shown
    assert all(f"\n  {name} " in shown for name in models.list_commands(click.Context(models)))


@pytest.mark.parametrize("words", [[], ["models"]], ids=["predictq", "predictq models"])
def test_help_imports_nothing_that_takes_long(words: list[str]) -> None:
    program = LISTED.format(words=words)
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
