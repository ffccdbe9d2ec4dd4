"""Forked programs are processes of their own, as tests of signals and kills need them."""

import os
import signal
import sys
from pathlib import Path

import pytest

from stack.process import ROOT, Program
from tests.support.stack import until
from tests.support.zygote.forked_process import ForkedProcess, can_be_forked

pytestmark = pytest.mark.slow

TELLING = "import os, sys; print(os.environ.get('TOLD'), os.getsid(0), os.getcwd(), len(sys.argv))"


def forked(tmp_path: Path, statement: str) -> ForkedProcess:
    """Run a statement once, in a module that runs statements."""
    command = (sys.executable, "-m", "timeit", "-n1", "-r1", statement)
    program = Program("statement", command, {"TOLD": "yes"})
    assert can_be_forked(program)
    return ForkedProcess(program, tmp_path / "log")


def test_zygote_forks_a_process_with_a_session_environment_and_arguments(tmp_path: Path) -> None:
    process = forked(tmp_path, TELLING)
    until(lambda: not process.running(), "its end")
    assert process.code == 0
    told = (tmp_path / "log").read_text()
    assert f"yes {process.group} {ROOT} 4" in told
    assert "TOLD" not in os.environ


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_zygote_tells_the_signal_that_ended_a_process(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = forked(tmp_path, "import time; time.sleep(60)")
    assert process.running()
    os.kill(process.group, number)
    until(lambda: not process.running(), "its end")
    assert process.code == -number
    assert f"statement died ({number.name})" in process.crash_report()


def test_zygote_tells_the_exit_code_of_a_process(tmp_path: Path) -> None:
    process = forked(tmp_path, "import os; os._exit(7)")
    until(lambda: not process.running(), "its end")
    assert process.code == 7
