"""A stack that tests share is replaced once a test may have broken it."""

import subprocess
import sys
from pathlib import Path

from stack.process import ROOT

TESTS = """
import subprocess
import pytest

class Sleeper:
    def __init__(self):
        self.process = subprocess.Popen(["sleep", "60"])

    def is_whole(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

@pytest.fixture(scope="module")
def stack():
    sleeper = Sleeper()
    yield sleeper
    assert sleeper.is_whole()
    sleeper.kill()

@pytest.fixture(scope="module")
def pid(stack):
    return stack.process.pid

pids = []

def test_that_fails_once(stack, pid):
    pids.append(pid)
    assert stack.process.pid == pid
    assert len(set(pids)) == 2

def test_that_finds_it_whole_and_kills_it(pid, stack):
    assert pid == pids[-1]
    stack.kill()

def test_that_needs_it(pid, stack):
    assert stack.is_whole()
    assert stack.process.pid == pid
"""


def test_broken_stack_is_replaced_and_a_whole_one_is_kept(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    plugins = ["-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "tests.healing"]
    chosen = [*plugins, "-q", "--reruns", "1", "-c", "/dev/null", "--rootdir", tmp_path]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *chosen, tmp_path],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout
    assert "3 passed, 1 warning, 1 rerun" in ran.stdout
    assert "stack was broken and ended so: AssertionError" in ran.stdout
