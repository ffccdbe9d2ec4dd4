"""The progress bar."""

import os
import pty
from types import SimpleNamespace

import pytest

from cli.predict.progress import Progress


@pytest.fixture
def terminal(monkeypatch):
    """Standard error as a terminal; returns what was written."""
    leader, follower = pty.openpty()
    stream = os.fdopen(follower, "w")
    # Patched here because pytest replaces sys.stderr itself for each test.
    monkeypatch.setattr("cli.predict.progress.sys", SimpleNamespace(stderr=stream))

    def told():
        print("<end>", file=stream, flush=True)
        text = ""
        while "<end>" not in text:
            text += os.read(leader, 10_000).decode()
        return text.partition("<end>")[0]

    yield told
    stream.close()
    os.close(leader)


def test_progress_is_shown_during_long_runs(terminal, monkeypatch):
    monkeypatch.setattr("cli.predict.progress.REFRESH_INTERVAL", 0.0)
    with Progress(10) as progress:
        progress.advance(0)
        progress.advance(4)
        progress.advance(6)
    told = terminal()
    assert "4/10" in told
    assert "10/10" in told


def test_progress_is_not_shown_during_short_runs(terminal):
    with Progress(10) as progress:
        progress.advance(10)
    assert terminal() == ""
