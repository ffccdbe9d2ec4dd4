"""The commands in README and docs run in order on a fresh installation and print what is shown."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.conftest import Newcomer
from tests.docs.documents import DOCUMENTS, ROOT, RUNNABLE, SHOWN, Block, Example, blocks

START = "./run up\n"
ONE_COMMAND = 60.0
SHELLS = {
    "bash": ("bash", "-euo", "pipefail", "-c"),
    "python": ("python", "-c"),
    "javascript": ("node", "--input-type=module", "-e"),
}
WITH_COMMANDS = [
    pytest.param(document, marks=[] if document == ROOT / "README.md" else pytest.mark.slow)
    for document in DOCUMENTS
    if any(block.is_command for block in blocks(document))
]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", WITH_COMMANDS, ids=name_of)
def test_commands_of_a_document_run(document: Path, newcomer: Newcomer, tmp_path: Path) -> None:
    """All blocks of a document run in one directory; a block finds the files of earlier blocks."""
    (tmp_path / "run").symlink_to(newcomer.home / "bin" / "run")
    left_out = []
    for command, answer in Example.all_in(document):
        if command.reason:
            continue
        if shutil.which(SHELLS[command.language][0], path=newcomer.environment["PATH"]) is None:
            left_out.append(command)
            continue
        printed = newcomer.output if command.text == START else typed(command, newcomer, tmp_path)
        if answer is not None:
            where = f"{document.name}:{command.line} printed\n{printed}"
            assert agrees(newcomer.here(answer), printed), where
    if left_out:
        lines = ", ".join(f"line {block.line} ({block.language})" for block in left_out)
        pytest.skip(f"all ran but what this machine has no program for: {lines}")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_command_that_is_not_run_says_why(document: Path) -> None:
    """A command that the tests do not run carries a reason in its info string."""
    found = blocks(document)
    assert {block.language for block in found} <= {*RUNNABLE, *SHOWN}
    unclear = [block for block in found if block.is_command and block.info and not block.reason]
    assert unclear == []


def typed(command: Block, newcomer: Newcomer, directory: Path) -> str:
    """Run a block and return its output; a failing command fails the test."""
    done = subprocess.run(
        [*SHELLS[command.language], newcomer.here(command.text)],
        cwd=directory,
        env=newcomer.environment,
        capture_output=True,
        text=True,
        timeout=ONE_COMMAND,
        check=False,
    )
    assert done.returncode == 0, f"line {command.line}: {command.text}\n{done.stderr}"
    return done.stdout


def agrees(shown: str, printed: str) -> bool:
    """Whether shown and printed text match, ignoring layout; ``…`` stands for any text."""
    pattern = ".*".join(map(re.escape, _bare(shown).split("…")))
    return re.fullmatch(pattern, _bare(printed), re.DOTALL) is not None


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)
