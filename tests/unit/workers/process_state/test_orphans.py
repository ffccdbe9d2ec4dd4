"""What a pool process leaves behind is ended, and what a library started in the fork server is not.

In a process of its own, which adopts orphans from then on.
"""

import subprocess
import sys

import pytest

STORY = """
import os, signal, subprocess, time
import psutil
from workers.models.process_state.orphans import Orphans, adopt_orphans

def sleeper():
    return subprocess.Popen(["sleep", "600"]).pid

def left_behind():
    reading, writing = os.pipe()
    if (pool_process := os.fork()) == 0:
        os.write(writing, str(sleeper()).encode())
        os._exit(0)
    os.waitpid(pool_process, 0)
    return int(os.read(reading, 20))

def lives(pid):
    return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE

adopt_orphans()
orphans, helper, pool_process = Orphans(), sleeper(), sleeper()
orphans.keep_helpers({pool_process})
orphan = left_behind()
assert psutil.Process(orphan).ppid() == os.getpid()
assert orphans.end({pool_process}) == 1
os.waitpid(orphan, 0)
assert orphans.end({pool_process}) == 0
assert lives(helper) and lives(pool_process)
os.kill(helper, signal.SIGKILL)
assert orphans.end(set()) == 1
"""


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux only")
def test_orphans_are_ended_and_helpers_and_the_pool_are_not() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STORY], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
