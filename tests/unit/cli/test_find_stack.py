"""How commands find their stack, by pointers, homes and addresses."""

import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cli.find_stack import for_api, for_registry
from stack.pointers import Pointer, pointers, remove_pointer, write_pointer
from stack.programs import Stack

GONE = 4194305
"""A pid that no process has."""
Run = Callable[..., Result]


@click.command()
@for_registry
def registry(home: Path) -> None:
    click.echo(home)


@click.command()
@for_api
def api(url: str | None) -> None:
    click.echo(url or "")


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home directory of a user without any stack."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME")
    return tmp_path


@pytest.fixture
def run(user: Path) -> Run:
    def invoke(command: click.Command, *arguments: str, **environment: str) -> Result:
        return CliRunner(env=environment).invoke(command, arguments)

    return invoke


def start(home: Path, port: int) -> str:
    """Write the files that `up` writes; returns the address."""
    home.mkdir()
    stack = Stack(home, "redis://127.0.0.1:1/0", port, None, 1)
    stack.write()
    return stack.url


def test_stack_leaves_a_pointer_while_it_runs(user: Path) -> None:
    url = start(user / "a", 5001)
    pointer = user / ".local/state/predictq/stacks/5001.json"
    assert json.loads(pointer.read_text()) == {
        "pid": os.getpid(),
        "url": url,
        "home": str(user / "a"),
    }
    assert [stat.S_IMODE(path.stat().st_mode) for path in (pointer, user / "a/stack.json")] == [
        0o600,
        0o600,
    ]
    assert [path.name for path in pointer.parent.iterdir()] == ["5001.json"]
    Stack(user / "a", "", 5001, None, 1).erase()
    assert list(pointers()) == []
    assert not pointer.exists()


def test_state_directory_may_be_named(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(user / "state"))
    start(user / "a", 5001)
    assert (user / "state/predictq/stacks/5001.json").exists()


@pytest.mark.parametrize("blocked", [False, True])
def test_pointer_needs_a_state_directory(
    user: Path, monkeypatch: pytest.MonkeyPatch, *, blocked: bool
) -> None:
    if blocked:
        (user / ".local").touch()
    else:
        monkeypatch.delenv("HOME")
    start(user / "a", 5001)
    remove_pointer(5001)
    assert list(pointers()) == []


def test_stale_pointer_is_removed_and_invalid_one_skipped(user: Path) -> None:
    write_pointer(5001, Pointer(GONE, "http://127.0.0.1:5001", str(user)))
    write_pointer(5002, Pointer(os.getpid(), "http://127.0.0.1:5002", str(user)))
    directory = user / ".local/state/predictq/stacks"
    (directory / "1.json").write_text("{")
    assert [pointer.url for pointer in pointers()] == ["http://127.0.0.1:5002"]
    assert not (directory / "5001.json").exists()


def test_defaults_without_a_stack(user: Path, run: Run) -> None:
    assert run(registry).output == f"{user}/.predictq\n"
    assert run(api).output == "\n"


def test_default_home_takes_precedence(user: Path, run: Run) -> None:
    url = start(user / ".predictq", 5001)
    start(user / "b", 5002)
    assert run(registry).output == f"{user}/.predictq\n"
    assert run(api).output == f"{url}\n"


def test_stack_under_two_names_is_one(user: Path, run: Run) -> None:
    start(user / "disk", 5001)
    (user / ".predictq").symlink_to(user / "disk")
    assert run(registry).output == f"{user}/.predictq\n"


def test_stack_of_another_home_is_used_and_named(user: Path, run: Run) -> None:
    url = start(user / "a", 5001)
    for command, found in ((registry, str(user / "a")), (api, url)):
        result = run(command)
        assert result.stdout == f"{found}\n"
        assert result.stderr == f"using the stack at {url}, home {user / 'a'}\n"


@pytest.mark.parametrize("command", [registry, api])
def test_several_stacks_need_an_explicit_choice(
    user: Path, run: Run, command: click.Command
) -> None:
    urls = [start(user / name, port) for name, port in (("a", 5001), ("b", 5002))]
    refused = run(command)
    assert refused.exit_code == 1
    assert refused.stderr.splitlines() == [
        "error: several stacks are running; choose one with --home:",
        f"error: {urls[0]}, home {user / 'a'}",
        f"error: {urls[1]}, home {user / 'b'}",
    ]
    assert run(command, "--home", str(user / "b")).exit_code == 0


def test_port_in_the_environment_selects_a_stack(user: Path, run: Run) -> None:
    start(user / ".predictq", 5001)
    start(user / "b", 5002)
    assert run(registry, PREDICTQ_PORT="5002").stdout == f"{user / 'b'}\n"
    assert run(registry, PREDICTQ_PORT="5003").stdout == f"{user}/.predictq\n"
    assert run(api, PREDICTQ_PORT="5003").stdout == "\n"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_address_leads_to_the_home_of_its_stack(user: Path, run: Run, name: str) -> None:
    start(user / ".predictq", 5001)
    start(user / "b", 5002)
    assert run(registry, "--url", f"http://{name}:5002/").output == f"{user / 'b'}\n"
    assert run(registry, PREDICTQ_URL=f"http://{name}:5002").output == f"{user / 'b'}\n"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://example.com:5001", "is on another machine"),
        ("http://127.0.0.1:5003", "no stack of yours runs at http://127.0.0.1:5003; give --home"),
        ("http://127.0.0.1:x", "not an http address"),
        ("nonsense", "not an http address"),
    ],
)
def test_address_without_a_registry_here(user: Path, run: Run, url: str, says: str) -> None:
    start(user / "a", 5001)
    refused = run(registry, "--url", url)
    assert refused.exit_code == 1
    assert says in refused.stderr


def test_home_leads_to_the_address_of_its_stack(user: Path, run: Run) -> None:
    url = start(user / "a", 5001)
    assert run(api, "--home", str(user / "a")).output == f"{url}\n"
    assert run(api, PREDICTQ_HOME="~/a").output == f"{url}\n"
    refused = run(api, "--home", str(user / "b c"))
    assert refused.exit_code == 1
    assert f"start it with: predictq up --home '{user / 'b c'}'" in refused.stderr
    assert f"{url}, home {user / 'a'}" in refused.stderr


def test_options_take_precedence_over_the_environment(user: Path, run: Run) -> None:
    url = start(user / "a", 5001)
    start(user / "b", 5002)
    assert run(registry, "--url", url, PREDICTQ_HOME=str(user / "b")).output == f"{user / 'a'}\n"
    there = run(api, "--home", str(user / "a"), PREDICTQ_URL="http://127.0.0.1:9")
    assert there.output == f"{url}\n"
    both = {"PREDICTQ_HOME": str(user / "b"), "PREDICTQ_URL": url}
    assert run(registry, **both).output == f"{user / 'b'}\n"
    assert run(api, **both).output == f"{url}\n"
    assert run(api, "--url", url, "--home", str(user)).exit_code == 2


def test_pointer_with_another_pid_is_skipped(user: Path, run: Run) -> None:
    """It was killed, and another process has its pid since."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        write_pointer(5001, Pointer(other.pid, "http://127.0.0.1:5001", str(user / "a")))
        assert run(registry).output == f"{user}/.predictq\n"
