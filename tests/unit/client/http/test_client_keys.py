"""The local key is sent only to the stack of this user; a function gives a key that changes."""

import json
import os

import httpx2
import pytest

from predictq import Client, InvalidRequest
from predictq.http.retries import Clock
from predictq.http.server import Server
from tests.unit.fake_server import Answer


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in ("PREDICTQ_URL", "PREDICTQ_PORT", "PREDICTQ_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def runs(home, url, name=".predictq", pid=None):
    """A stack with a key, as `up` creates it."""
    own = home / name
    own.mkdir()
    (own / "local.key").write_text(f"key-of-{name}\n")
    entry = {"pid": pid or os.getpid(), "url": url, "home": str(own)}
    pointers = home / ".local/state/predictq/stacks"
    pointers.mkdir(parents=True, exist_ok=True)
    for path in (own / "stack.json", pointers / f"{name}.json"):
        path.write_text(json.dumps(entry))


def presented(url):
    auth = Server(url, 1, Clock()).client_options()["auth"]
    if auth is None:
        return None
    request = next(auth.auth_flow(httpx2.Request("GET", url)))
    return request.headers["Authorization"]


def test_local_key_is_sent_to_the_found_stack(home, server):
    runs(home, server.url)
    server.script(Answer(200, {"models": []}))
    with Client() as client:
        client.models()
    assert server.asked[-1].headers["Authorization"] == "Bearer key-of-.predictq"


def test_local_key_is_sent_to_a_named_address_of_a_stack(home):
    runs(home, "http://127.0.0.1:5001")
    runs(home, "http://127.0.0.1:5002", "other")
    assert presented("http://127.0.0.1:5001/") == "Bearer key-of-.predictq"
    assert presented("http://127.0.0.1:5002") == "Bearer key-of-other"


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:5003", "https://127.0.0.1:5001", "http://localhost:5001"),
        *("http://example.org:5001", "http://127.0.0.2:5001", "http://[::1]:5001"),
    ],
)
def test_local_key_is_sent_to_no_other_address(home, url):
    runs(home, "http://127.0.0.1:5001")
    assert presented(url) is None


def test_local_key_is_not_sent_to_another_machine(home):
    runs(home, "http://example.org:5001")
    assert presented("http://example.org:5001") is None


def test_local_key_is_not_sent_where_a_stack_has_ended(home):
    runs(home, "http://127.0.0.1:5001", pid=2**22 + 1)
    assert presented("http://127.0.0.1:5001") is None


def test_local_key_that_is_invalid_is_not_sent(home):
    runs(home, "http://127.0.0.1:5001")
    key = home / ".predictq" / "local.key"
    for content in (b"", b"\xff", b"two\nlines"):
        key.write_bytes(content)
        assert presented("http://127.0.0.1:5001") is None
    key.unlink()
    assert presented("http://127.0.0.1:5001") is None


def test_key_of_a_function_is_asked_for_before_each_attempt(server, clock):
    server.script(Answer(503, {}, {"Retry-After": "1"}), Answer(200, {"models": []}))
    tokens = iter(["first", "second"])
    with Client(server.url, key=lambda: next(tokens), clock=clock) as client:
        client.models()
    sent = [asked.headers["Authorization"] for asked in server.asked]
    assert sent == ["Bearer first", "Bearer second"]


def test_key_of_a_function_that_no_header_can_hold_is_refused(server):
    with (
        Client(server.url, key=lambda: "two\nlines") as client,
        pytest.raises(InvalidRequest, match="key: a key has printable ASCII"),
    ):
        client.models()
    assert not server.asked
