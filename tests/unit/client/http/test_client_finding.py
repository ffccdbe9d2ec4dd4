"""Which stack on this machine a client finds without an address."""

import json
import os
import subprocess
import sys

import pytest

from predictq import InvalidRequest
from predictq.http.address_search import DEFAULT, find
from predictq.http.retries import Clock
from predictq.http.server import Server

VARIABLES = ("PREDICTQ_URL", "PREDICTQ_PORT", "PREDICTQ_HOME", "XDG_STATE_HOME")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def dead():
    """A pid that no process has."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def stack(directory, port, pid=None):
    directory.mkdir(parents=True, exist_ok=True)
    entry = {"pid": pid or os.getpid(), "url": f"http://127.0.0.1:{port}", "more": [1]}
    (directory / "stack.json").write_text(json.dumps(entry))


def pointer(home, port, pid=None, state=".local/state"):
    directory = home / state / "predictq" / "stacks"
    directory.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{port}"
    entry = {"pid": pid or os.getpid(), "url": url, "home": str(home / f"of {port}")}
    (directory / f"{port}.json").write_text(json.dumps(entry))


def port():
    return int(find().url.rpartition(":")[2])


def test_given_address_takes_precedence_over_a_running_stack(home, monkeypatch):
    stack(home / ".predictq", 1)
    pointer(home, 2)
    monkeypatch.setenv("PREDICTQ_PORT", "3")
    assert port() == 3
    monkeypatch.setenv("PREDICTQ_URL", "http://elsewhere:4")
    assert find().url == "http://elsewhere:4"
    assert find("http://here:5").url == "http://here:5"


def test_stack_of_the_home_takes_precedence(home, monkeypatch):
    pointer(home, 2)
    assert port() == 2
    stack(home / ".predictq", 1)
    assert port() == 1
    stack(home / "other", 3)
    monkeypatch.setenv("PREDICTQ_HOME", "~/other")
    assert port() == 3


def test_stack_among_several_is_not_guessed(home):
    pointer(home, 2)
    pointer(home, 3)
    assert find().url == DEFAULT
    assert "http://127.0.0.1:2, http://127.0.0.1:3" in find().reason


def test_pointers_lie_where_state_lies(home, monkeypatch):
    pointer(home, 2, state="state")
    assert find().url == DEFAULT
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    assert port() == 2
    monkeypatch.setenv("XDG_STATE_HOME", "state")  # not absolute, so it is ignored
    monkeypatch.chdir(home)
    assert find().url == DEFAULT


def test_ended_stack_is_skipped(home, dead):
    stack(home / ".predictq", 1, dead)
    pointer(home, 2, dead)
    assert find().url == DEFAULT
    pointer(home, 3)
    assert port() == 3


def test_process_of_another_user_counts_as_running(home, monkeypatch):
    def forbidden(pid, number):
        raise PermissionError

    monkeypatch.setattr("os.kill", forbidden)
    stack(home / ".predictq", 1)
    assert port() == 1


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"\xff", b"[" * 10_000, b"{}", b'{"pid": 1}',
        b'{"pid": 1, "url": 5}', b'{"pid": 1, "url": "file:///etc"}', b" " * 100_000,
        *[b'{"pid": %s, "url": "http://127.0.0.1:1"}' % pid
          for pid in (b"0", b"-1", b"true", b'"1"', b"1.5", b"null", b"1e30", b"9" * 40)],
    ],
)  # fmt: skip  # one case on a line
def test_pointers_without_content_are_skipped(home, content):
    stack(home / ".predictq", 1)
    pointer(home, 2)
    (home / ".predictq" / "stack.json").write_bytes(content)
    (home / ".local/state/predictq/stacks/0.json").write_bytes(content)
    assert port() == 2


def test_pointer_that_is_no_file_is_skipped(home):
    (home / ".predictq").mkdir()
    os.mkfifo(home / ".predictq" / "stack.json")
    (home / ".local/state/predictq/stacks/1.json").mkdir(parents=True)
    (home / ".local/state/predictq/stacks/3.json").symlink_to("nowhere")
    assert find().url == DEFAULT
    pointer(home, 2)
    assert port() == 2


def test_default_address_without_a_home(home, monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as if the uid had no home
    assert find().url == DEFAULT


def test_invalid_environment_variable_is_named(monkeypatch):
    monkeypatch.setenv("PREDICTQ_PORT", "many")
    with pytest.raises(InvalidRequest, match="by PREDICTQ_PORT"):
        Server(None, 1, Clock())


def test_default_address_says_why_it_is_used(home):
    assert str(home / ".predictq") in find().reason
