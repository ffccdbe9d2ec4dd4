"""Which Redis server is started, by its version."""

import shutil
from pathlib import Path

import pytest

from stack.redis import binary as redis_binary
from stack.redis.binary import find_binary, is_flawed, version


@pytest.mark.parametrize(
    ("told", "flawed"),
    [
        ("Redis server v=6.2.14 sha=40305114:0 malloc=libc bits=64", True),
        ("Redis server v=6.2.20 sha=0", False),
        ("Redis server v=7.0.15 sha=0", True),
        ("Redis server v=7.4.6 sha=0", False),
        ("Redis server v=8.2.1 sha=0", True),
        ("Redis server v=8.6.3 sha=0", False),
        ("Valkey server v=8.1.3 sha=0", True),
        ("Valkey server v=8.1.4 sha=0", False),
        ("Valkey server v=9.0.0 sha=0", False),
        ("a server of another kind", False),
    ],
)
def test_known_flaws_of_a_version(told: str, flawed: bool) -> None:
    assert is_flawed(told) is flawed


def test_redis_version_is_parsed() -> None:
    assert version("Valkey server v=8.1.4 sha=0") == "8.1.4"
    assert version("?") == "unknown version"


def said(directory: Path, name: str, text: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\necho {text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("redis", "valkey", "taken"),
    [
        ("Redis v=7.2.4", "Valkey v=8.1.4", "valkey-server"),
        ("Redis v=7.2.11", "Valkey v=8.1.4", "redis-server"),
        ("Redis v=7.2.4", "Valkey v=8.1.3", "redis-server"),
    ],
)
def test_binary_without_known_flaws_is_preferred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis: str, valkey: str, taken: str
) -> None:
    said(tmp_path, "redis-server", redis)
    said(tmp_path, "valkey-server", valkey)
    monkeypatch.setattr(redis_binary, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda name: str(tmp_path / name))
    assert find_binary().name == taken
