"""Redis's socket: only its owner can reach it, and its path needs no quoting."""

import stat
from pathlib import Path

import click
import pytest

from stack.redis.socket import MAX_SOCKET_PATH_BYTES, private, socket_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_socket_lies_in_the_home_which_is_private(tmp_path: Path) -> None:
    home = tmp_path / "redis"
    home.mkdir(mode=0o755)  # as an earlier version may have created it
    home.chmod(0o755)
    assert socket_path(home) == home / "redis.sock"
    assert mode(home) == 0o700


@pytest.mark.parametrize("name", ["a" * MAX_SOCKET_PATH_BYTES, "a b", "é", "100%"])
def test_socket_path_that_is_too_long_or_must_be_quoted_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    home = tmp_path / name
    socket = socket_path(home)
    assert socket.parent == tmp_path / "run/predictq"
    assert mode(socket.parent) == 0o700
    assert socket == socket_path(home), "the next start finds the same"
    assert socket != socket_path(tmp_path / f"{name}{name}"), "each home has its own"


def test_socket_without_a_runtime_directory_is_in_a_private_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    socket = socket_path(tmp_path / "a b")
    assert socket.parent.parent == tmp_path
    assert mode(socket.parent) == 0o700


def test_socket_directory_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(click.ClickException, match="must be a directory of your own"):
        private(tmp_path / "link")
    monkeypatch.setattr("os.getuid", lambda: 4711)
    with pytest.raises(click.ClickException, match="must be a directory of your own"):
        private(tmp_path)
