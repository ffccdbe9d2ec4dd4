"""The local key, and keys in a file."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from api.callers import static_keys as module
from api.callers.known_keys import KnownKeys
from api.callers.static_keys import StaticKeys, local_key, read_keys
from cli.keys.key_file import add_to_file
from tasks.callers.caller import Caller
from tasks.callers.scopes import EVERY_SCOPE
from telemetry.errors import KeyInvalid


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def path(home: Path) -> Path:
    return home / "local.key"


def caller(home: Path, header: bytes, keys_file: Path | None = None) -> Caller | None:
    no_redis: Any = None
    known = KnownKeys(StaticKeys(home, keys_file), no_redis)
    return asyncio.run(known.caller(header, "127.0.0.1"))


def test_local_key_is_made_once_for_its_owner_alone(home: Path, path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(local_key, [home] * 32))
    key = path.read_text()
    assert key.startswith("pq_live_local000_")
    assert path.stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700
    local_key(home)
    assert path.read_text() == key
    assert [found.name for found in path.parent.iterdir()] == ["local.key"]


@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer  "])
@pytest.mark.parametrize("old", [False, True])
def test_local_key_has_every_scope(home: Path, path: Path, scheme: bytes, old: bool) -> None:
    """A key of before there were tokens works on."""
    if old:
        path.parent.mkdir()
        path.write_text("k" * 43 + "\n")
    found = caller(home, scheme + local_key(home))
    assert found
    assert found.scopes == EVERY_SCOPE
    assert found.flow == "", "the one of callers without a key"


@pytest.mark.parametrize("header", [b"", b"Basic YTpi", b"\xc3\xa4"])
def test_header_without_a_bearer_token_is_that_of_a_caller_without_a_key(
    home: Path, header: bytes
) -> None:
    assert caller(home, header) is None


@pytest.mark.parametrize("token", [b"", b"wrong", b"\xc3\xa4", b"pq_live_local000_" + b"x" * 51])
@pytest.mark.parametrize("content", [None, "\n", "k" * 43])
def test_wrong_token_is_refused(home: Path, path: Path, token: bytes, content: str | None) -> None:
    if content:
        path.parent.mkdir()
        path.write_text(content)
    with pytest.raises(KeyInvalid):
        caller(home, b"Bearer " + token)


def test_no_token_is_right_where_no_key_can_be_made(home: Path, path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(KeyInvalid):
        caller(home, b"Bearer ")


def test_key_in_a_file_is_known_and_forgotten(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys"
    token = add_to_file(file, {"name": "billing", "scopes": ["predict"], "models": ["churn*"]})
    assert token not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    found = caller(home, b"Bearer " + token.encode(), file)
    assert found
    assert (found.name, found.scopes, found.models) == ("billing", {"predict"}, ("churn*",))
    static = StaticKeys(home, file)
    monkeypatch.setattr(module, "FILE_LOOK_SECONDS", -1)
    file.write_text("no key\n")
    assert static.find(found.key)  # what cannot be read changes nothing
    file.write_text("\n")
    os.utime(file, ns=(1, 1))
    assert static.find(found.key) is None


def test_file_of_keys_that_is_wrong_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("\n{}\n")
    with pytest.raises(ValueError, match="line 2"):
        read_keys(tmp_path / "keys")
