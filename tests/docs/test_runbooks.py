"""Each alert has a runbook, and what it tells to type exists."""

import re
import shlex

import click
import pytest

from api.console.pages.runbooks import runbook_blocks
from cli.main import main
from tasks.alerts.rules.alert import RUNBOOKS, all_alerts, runbook_text
from tests.docs.documents import ROOT, table

NAMES = sorted({alert.runbook for alert in all_alerts().values()})
SECTIONS = ["Cause", "Look here", "Do this"]


@pytest.mark.parametrize("name", NAMES)
def test_runbook_has_its_sections(name: str) -> None:
    blocks = runbook_blocks(runbook_text(name))
    assert blocks[0].lines == [[(name, False)]]
    assert [b.lines[0][0].text for b in blocks if b.kind == "heading"] == SECTIONS
    assert {"text", "bullets", "code", "numbers"} <= {block.kind for block in blocks}


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_commands_in_prose_exist(path: str) -> None:
    for typed in re.findall(r"`predictq ([^`]+)`", path.read_text()):
        command, words = main, shlex.split(typed)
        context = click.Context(main)
        while isinstance(command, click.Group):
            command = command.get_command(context, words.pop(0))
            assert command is not None, typed
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, typed


def test_table_of_alerts() -> None:
    rows = table(ROOT / "docs" / "alerts.md", "What is watched")
    assert [tuple(row[:3]) for row in rows] == [
        (f"[{a.name}](runbooks/{a.runbook}.md)", a.severity, a.duration)
        for a in all_alerts().values()
    ]
