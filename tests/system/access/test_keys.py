"""Keys from the command to the refusal, with the client, over HTTP."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from cli.main import main
from predictq import Client, InvalidRequest
from tests.support.stack import LiveStack, until

ROW = [5.8, 2.8, 5.1, 2.4]


@pytest.fixture
def keys(stack: LiveStack) -> Iterator[Any]:
    def run(*arguments: str) -> str:
        found = CliRunner().invoke(main, ["keys", *arguments, "--url", stack.url])
        assert found.exit_code == 0, found.output
        return found.output.strip()

    yield run
    with Client(stack.url, key=(stack.home / "local.key").read_text().strip()) as owner:
        for key in owner.keys():  # noqa: SIM118 - it is no dict
            if key["state"] == "active":
                owner.keys.revoke(key["id"])


@pytest.fixture(autouse=True)
def _local_key(stack: LiveStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREDICTQ_KEY", (stack.home / "local.key").read_text().strip())


def test_key_is_made_used_rotated_and_revoked(stack: LiveStack, keys: Any) -> None:
    limits = "--rate", "100/s", "--in-flight", "500", "--weight", "2"
    token = keys("create", "billing", "--scopes", "predict", *limits, "--expires", "90d")
    assert token.startswith("pq_live_")
    with Client(stack.url, key=token) as client:
        assert client.predict("iris", ROW).predictions == [2]
        with pytest.raises(InvalidRequest, match="`models:read`") as refused:
            client.models()
        assert (refused.value.status, refused.value.code) == (403, "forbidden")
        with pytest.raises(InvalidRequest, match="`admin`"):
            client.keys()
        listed = keys("list").splitlines()
        assert "billing" in listed[1]
        assert "100/s, 500 in flight" in listed[1]
        assert '"weight": 2' in keys("show", "billing")
        assert '"last_used_at": 1' in keys("show", "billing")
        renewed = keys("rotate", "billing", "--overlap", "1h")
        with Client(stack.url, key=renewed) as other:
            assert other.predict("iris", ROW).predictions == [2]
        assert client.predict("iris", ROW).predictions == [2]
        assert keys("revoke", "billing").startswith("revoked billing")

        def code() -> str:
            try:
                client.submit("iris", ROW)
            except InvalidRequest as error:
                return error.code
            return ""

        until(lambda: code() == "key_revoked", "the end of the key", 10)


def test_refusal_names_the_scheme(stack: LiveStack) -> None:
    answer = stack.http.get("/models", headers={"Authorization": "Bearer pq_live_no"})
    assert (answer.status_code, answer.json()["code"]) == (401, "key_invalid")
    assert answer.headers["www-authenticate"] == "Bearer"
    again = stack.http.get("/models", headers={"Authorization": "Basic YTpi"})
    assert again.status_code == 200  # that of a proxy in front is not ours


def test_caller_is_refused_before_its_body_has_come(stack: LiveStack) -> None:
    head = b"POST /keys HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stack.parts.port), 20) as connection:
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")


def test_audit_log_has_what_was_changed_and_refused(stack: LiveStack, keys: Any) -> None:
    token = keys("create", "auditor", "--scopes", "predict")
    assert stack.http.get("/audit", headers={"Authorization": f"Bearer {token}"}).status_code == 403
    keys("revoke", "auditor")
    newest = stack.owner.get("/audit", params={"limit": 1}).json()
    assert newest["has_more"]
    (revoked,) = newest["data"]
    assert (revoked["method"], revoked["path"], revoked["status"]) == (
        "DELETE",
        "/keys/auditor",
        200,
    )
    older = stack.owner.get("/audit", params={"after": revoked["id"]}).json()["data"]
    assert (older[0]["method"], older[0]["path"], older[0]["status"]) == ("POST", "/keys", 201)
    assert all(line["id"] < revoked["id"] for line in older)
    (refused,) = stack.owner.get("/audit", params={"part": "refusals", "limit": 1}).json()["data"]
    assert (refused["caller"], refused["path"], refused["status"]) == ("auditor", "/audit", 403)
    kept = (stack.home / "audit").glob("*/*.jsonl")
    assert not any(token in path.read_text() for path in kept)

    def audit(*arguments: str) -> str:
        found = CliRunner().invoke(main, ["audit", *arguments, "--home", str(stack.home)])
        assert found.exit_code == 0, found.output
        return found.output

    assert "403" in audit("list", "--refusals", "--caller", "auditor", "--since", "1h")
    assert audit("list", "--status", "201", "--json").count('"path":"/keys"') >= 1
    assert audit("verify").count("whole; the last one") == 2
