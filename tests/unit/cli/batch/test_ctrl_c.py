"""Ctrl-C in a real terminal: cancel, detach, or go on."""

import os
import pty
import signal
import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest

from stack.process import ROOT
from tests.support.stack import until
from tests.unit.fake_server import Answer, events, job


class Terminal:
    """A command in a terminal, with its output."""

    def __init__(self, leader, process):
        self._leader = leader
        self.process = process
        self.shown = ""

    def shows(self, text):
        """Read until the text appears; earlier output is dropped."""
        while text not in self.shown:
            self.shown += os.read(self._leader, 10_000).decode()
        self.shown = self.shown.partition(text)[2]

    def types(self, text):
        os.write(self._leader, text.encode())

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        self.shows("[c]ancel the job, [d]etach from it, or [g]o on?")
        # A signal just before the read would be noticed only after a key press.
        asleep = psutil.STATUS_SLEEPING
        until(lambda: psutil.Process(self.process.pid).status() == asleep, "it reads")


@contextmanager
def at_terminal(*words):
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "batch", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "client")},
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    try:
        yield Terminal(leader, process)
    finally:
        process.kill()
        process.wait()
        os.close(leader)
        os.close(follower)


@pytest.fixture
def service(server):
    """One job that runs until it is cancelled."""
    status = ["running"]

    def behave(asked):
        if asked.method == "DELETE":
            status[0] = "cancelled"
        now = job(status=status[0])
        if asked.path.endswith("/events"):
            return events(now)
        return Answer(202 if asked.method == "POST" else 200, now)

    server.behave = behave
    return server


def test_progress_bar_shows_rows_speed_and_time_left(service):
    with at_terminal("iris", "/in.csv", "/out.csv") as terminal:
        terminal.shows("running")
        terminal.shows("4 of 10 rows, 1 failed, 2,000 rows/s, 1:05 left")


def test_ctrl_c_goes_on_and_cancels(service):
    with at_terminal("iris", "/in.csv", "/out.csv") as terminal:
        terminal.shows("1:05 left")
        terminal.interrupt()
        terminal.types("\n")
        terminal.shows("1:05 left")
        terminal.interrupt()
        terminal.types("c\n")
        terminal.shows("error: the job was cancelled (to")
        assert terminal.process.wait(10) == 1
    assert ("DELETE", "/predict/batch/j1") in service.calls


@pytest.mark.parametrize("again", [False, True], ids=["by d", "by Ctrl-C again"])
def test_ctrl_c_detaches(service, again):
    with at_terminal("iris", "/in.csv", "/out.csv") as terminal:
        terminal.shows("1:05 left")
        terminal.interrupt()
        if again:
            terminal.process.send_signal(signal.SIGINT)
        else:
            terminal.types("d\n")
        terminal.shows("predictq batch status j1 --follow")
        assert until(terminal.process.poll, "its end") == 130
    assert all(method != "DELETE" for method, _ in service.calls)
