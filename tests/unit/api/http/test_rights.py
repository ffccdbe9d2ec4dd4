"""Only a caller with the local key has rights."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask, request

from api.http.rights import Rights
from telemetry.errors import Forbidden, Invalid


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def path(home: Path) -> Path:
    return home / "local.key"


def asked(rights: Rights, query: str, authorization: str | None = None) -> bool:
    headers = {} if authorization is None else {"Authorization": authorization}
    with Flask("test").test_request_context(f"/{query}", headers=headers):
        return rights.debug(request)


def test_local_key_is_made_once_for_its_owner_alone(home: Path, path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(Rights, [home] * 32))
    key = path.read_text()
    assert len(key.strip()) >= 43
    assert path.stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700
    Rights(home)
    assert path.read_text() == key
    assert [found.name for found in path.parent.iterdir()] == ["local.key"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_local_key_permits_debug(home: Path, path: Path, scheme: str) -> None:
    rights = Rights(home)
    assert asked(rights, "?debug=true", f"{scheme} {path.read_text().strip()}")


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Bearer wrong", "ä", "Basic YTpi", "Bearer ä"]
)
def test_debug_without_the_local_key_is_forbidden(home: Path, authorization: str | None) -> None:
    rights = Rights(home)
    with pytest.raises(Forbidden, match="local key"):
        asked(rights, "?debug=true", authorization)
    assert not asked(rights, "", authorization)
    assert not asked(rights, "?debug=false&more=1", authorization)


def test_empty_local_key_permits_nothing(home: Path, path: Path) -> None:
    path.parent.mkdir()
    path.write_text("\n")
    for authorization in ("Bearer ", "Bearer"):
        with pytest.raises(Forbidden):
            asked(Rights(home), "?debug=true", authorization)


def test_debug_is_forbidden_where_no_key_can_be_made(home: Path, path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(Forbidden):
        asked(Rights(home), "?debug=true", "Bearer ")


@pytest.mark.parametrize("query", ["?debug=maybe", "?debug=", "?debug=true&debug=false"])
def test_invalid_debug_value_is_refused(home: Path, query: str) -> None:
    with pytest.raises(Invalid):
        asked(Rights(home), query)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic \xff", "Basic a:b"])
def test_right_to_follow_events_needs_the_local_key(home: Path, path: Path, header: str) -> None:
    rights = Rights(home)
    assert not rights.caller_with(header).may("follow")
    assert rights.caller_with(f"Bearer {path.read_text().strip()}").may("follow")
