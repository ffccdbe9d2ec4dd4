"""Every route with every scope and without a key, through the whole API, on all its ways."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.app import Services, create_app, create_flask
from api.callers.access import ACCESS, TABLE, Access, access_of, check_routes, is_path
from api.callers.anonymous import anonymous_caller
from api.console.session.sessions import Sessions
from api.openapi.document import build
from cli.keys.key_file import add_to_file
from tasks.callers.caller import LOCAL_CALLER, UNKNOWN_CALLER
from tasks.callers.scopes import ROLES, SCOPES, Scope
from tasks.settings import Settings

AWAY = "redis://127.0.0.1:1/0"
LINES = [
    (access, line.strip()) for access, text in TABLE.items() for line in text.strip().splitlines()
]
MADE_BY_ASGI = {"GET /events", "GET /console/events", "POST /predict/results"}
"""Routes that Flask does not know."""


class Front:
    """The API without Redis, and a key for each scope."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, require: str) -> None:
        file = home / "keys"
        self.keys = {
            scope: add_to_file(file, {"name": "one", "scopes": [scope]}) for scope in SCOPES
        }
        monkeypatch.setenv("PREDICTQ_HOME", str(home))
        monkeypatch.setenv("PREDICTQ_KEYS_FILE", str(file))
        monkeypatch.setenv("PREDICTQ_REQUIRE_KEYS", require)
        monkeypatch.setenv("REDIS_URL", AWAY)
        self._app = create_app()

    async def ask(
        self, request: str, key: str | None, cookie: bytes = b""
    ) -> tuple[int, str, bool]:
        """Status, code of the problem, and whether the body was read."""
        method, path = request.split()
        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        headers += [(b"origin", b"http://localhost")] if method != "GET" else []
        headers += [(b"authorization", f"Bearer {key}".encode())] if key else []
        headers += [(b"cookie", cookie)] if cookie else []
        scope: Any = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            "headers": headers,
        }
        told: list[Any] = []
        read, begun = 0, asyncio.Event()

        async def receive() -> Any:
            nonlocal read
            read += 1
            if read == 1 and method != "GET":
                return {"type": "http.request", "body": b"{}", "more_body": False}
            await begun.wait()
            return {"type": "http.disconnect"}

        async def send(event: Any) -> None:
            told.append(event)
            begun.set()

        await asyncio.wait_for(self._app(scope, receive, send), 20)
        body = b"".join(event.get("body", b"") for event in told[1:])
        status = told[0]["status"]
        code = json.loads(body).get("code", "") if status >= 400 and body[:1] == b"{" else ""
        return status, code, bool(read)


def example(line: str) -> str:
    """A request for a route."""
    return (
        re.sub(r"<[^>]*version>", "1", re.sub(r"<path:\w+>", "x/y", line))
        .replace("<id>", "some")
        .replace("<name>", "some")
        .replace("<alias>", "some")
        .replace("<model>", "some")
        .replace("<environment>", "some")
    )


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with pytest.MonkeyPatch.context() as patch:
        yield Front(tmp_path_factory.mktemp("locked"), patch, "1")


@pytest.fixture(scope="module")
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with pytest.MonkeyPatch.context() as patch:
        yield Front(tmp_path_factory.mktemp("unlocked"), patch, "")


def refused(access: Access, request: str, code: str) -> tuple[int, str]:
    """What a page and any other route answer to a caller that may not."""
    status = 401 if code == "key_missing" else 403
    is_page = " /console" in request and request != "GET /console/events"
    in_json = not is_page or request == "POST /console/codes"
    # Whatever a page does, it does for viewers who have signed in.
    return (status, code) if in_json else (status if request.startswith("GET") else 403, "")


@pytest.mark.parametrize(("access", "line"), LINES, ids=[line for _, line in LINES])
def test_every_route_needs_its_scope(
    locked: Front, unlocked: Front, access: Access, line: str
) -> None:
    request = example(line)

    async def run() -> None:
        for front, anyone in ((locked, UNKNOWN_CALLER), (unlocked, LOCAL_CALLER)):
            for scope, key in ((None, None), *front.keys.items()):
                status, code, read = await front.ask(request, key)
                # Whoever makes keys can have every scope.
                may = access == "open" or scope in (access, "admin")
                may = may or (key is None and access in anyone.scopes)
                why = f"{scope} on {request}: {status} {code}"
                if may:
                    assert status != 401, why
                    assert code != "forbidden", why
                    continue
                expected = refused(access, request, "forbidden" if key else "key_missing")
                assert (status, code) == expected, why
                assert not read or " /console" in request, why

    asyncio.run(run())


@pytest.mark.parametrize(("access", "line"), LINES, ids=[line for _, line in LINES])
def test_session_of_the_console_opens_the_console_alone(
    locked: Front, monkeypatch: pytest.MonkeyPatch, access: Access, line: str
) -> None:
    async def is_valid(_: Sessions, cookie: str | None) -> bool:
        return cookie == "right"

    monkeypatch.setattr(Sessions, "is_valid", is_valid)
    request = example(line)
    if access == "open" or request == "GET /console/events":
        return

    async def run() -> None:
        status, code, _ = await locked.ask(request, None, b"a=b; predictq_console=right")
        if request == "POST /console/codes":  # a session makes no other one
            assert (status, code) == (403, "forbidden")
        elif " /console" in request:
            assert status not in (401, 403)
        else:
            assert (status, code) == (401, "key_missing")
        status, _, _ = await locked.ask(request, None, b"predictq_console=wrong")
        assert status in (401, 403)

    asyncio.run(run())


def test_every_route_of_flask_is_in_the_table_and_the_other_way_round(tmp_path: Path) -> None:
    app = create_flask(Services(Settings(home=tmp_path, redis_url=AWAY)))
    served = {
        re.sub(r"<(?!path)[^>]*>", "<>", f"{method} {rule.rule}").replace("<path:other>", "<path>")
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served | MADE_BY_ASGI == set(ACCESS)


def test_route_without_a_scope_stops_the_start_and_is_not_found() -> None:
    with pytest.raises(LookupError, match="add it to `TABLE` in api/callers/access.py"):
        check_routes([("POST", "/webhooks")])
    assert access_of("POST", "/webhooks") is None
    assert not is_path("/webhooks")
    assert is_path("/predict")


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("HEAD", "/stats", "metrics"),
        ("GET", "/predict/result/a", "predict"),
        ("GET", "/predict/result/a/b", None),
        ("GET", "/console/batches/j/output", "batch"),
        ("GET", "/console/batches/j/other", "metrics"),
        ("GET", "/models/status", "models:read"),
        ("PATCH", "/predict", None),
        ("POST", "/dead-letters/replay", "operate"),
        ("POST", "/models/a\nb/predict", "predict"),
    ],
)
def test_access_of_a_request(method: str, path: str, needed: Scope | None) -> None:
    assert access_of(method, path) == needed


def test_path_that_is_not_known_is_not_found_and_a_method_is_405(locked: Front) -> None:
    assert asyncio.run(locked.ask("GET /nowhere", None))[:2] == (404, "not_found")
    assert asyncio.run(locked.ask("PATCH /predict", None))[0] == 405


def test_document_names_the_scope_of_each_operation() -> None:
    paths = build()["paths"]
    assert paths["/predict"]["post"]["security"] == [{"key": ["predict"]}, {}]
    assert paths["/keys"]["post"]["security"] == [{"key": ["admin"]}]
    assert paths["/health"]["get"]["security"] == []
    assert {"401", "403"} <= set(paths["/models/{name}"]["delete"]["responses"])


def test_roles_grow() -> None:
    assert ROLES["viewer"] < ROLES["operator"] < ROLES["admin"] == set(SCOPES)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "10.0.0.7", "example.com"])
def test_api_beyond_loopback_asks_for_keys_or_says_that_it_does_not(address: str) -> None:
    plain = Settings(home=Path(), redis_url="")
    with pytest.raises(ValueError, match="PREDICTQ_REQUIRE_KEYS=1"):
        anonymous_caller(address, plain)
    keyed = Settings(home=Path(), redis_url="", require_keys=True, insecure=True)
    assert anonymous_caller(address, keyed) is UNKNOWN_CALLER
    assert anonymous_caller("127.0.0.1", keyed) is UNKNOWN_CALLER
    assert (
        anonymous_caller(address, Settings(home=Path(), redis_url="", insecure=True))
        is LOCAL_CALLER
    )
    assert anonymous_caller("127.0.0.1", plain) is LOCAL_CALLER
