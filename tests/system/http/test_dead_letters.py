"""Dead letters and pauses over HTTP and on the command line."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from click.testing import CliRunner, Result

from cli.main import main
from tasks.ledger.ledger import connect
from tests.support.stack import Json, LiveStack, until

ROW = [5.1, 3.5, 1.4, 0.2]
UNREADABLE = b"\xff\x00"
Run = Callable[..., Result]


@pytest.fixture
def client(stack: LiveStack) -> Iterator[redis.Redis]:
    with connect(stack.redis_url) as client:
        yield client
    assert stack.owner.delete("/dead-letters?all=true").is_success
    assert stack.owner.post("/models/iris/versions/1/resume").is_success
    assert stack.serves()


@pytest.fixture
def run(stack: LiveStack) -> Run:
    def invoke(*arguments: str) -> Result:
        key = (stack.home / "local.key").read_text().strip()
        environment = {"PREDICTQ_URL": stack.url, "PREDICTQ_KEY": key}
        return CliRunner(env=environment).invoke(main, arguments)

    return invoke


def letters(stack: LiveStack, query: str = "") -> Json:
    answer = stack.http.get(f"/dead-letters{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def ids(stack: LiveStack, client: redis.Redis) -> list[str]:
    """Three dead letters, oldest first: undecodable, with an id, and with an id and a model."""
    stock = [{"headers": {"id": "stock-1"}}, {"headers": {"id": "2", "batch": "iris:1 predict"}}]
    for number, message in enumerate([UNREADABLE, *map(json.dumps, stock)], 1):
        client.lpush("predict", message)
        until(lambda number=number: letters(stack)["kept"] == number, "a dead letter")
    return [letter["id"] for letter in reversed(letters(stack)["dead_letters"])]


def test_dead_letters_are_listed_newest_first_and_filtered(
    stack: LiveStack, ids: list[str]
) -> None:
    page = letters(stack, "?limit=2")
    assert [letter["id"] for letter in page["dead_letters"]] == ["2", "stock-1"]
    assert (page["matching"], page["kept"]) == (3, 3)
    assert page["bytes"] > 0
    assert [x["id"] for x in letters(stack, "?model=iris")["dead_letters"]] == ["2"]
    assert letters(stack, "?code=worker_lost")["dead_letters"] == []
    assert letters(stack, "?queue=predict&code=malformed")["matching"] == 3
    assert letters(stack)["dead_letters"][0].keys() == {
        *("id", "queue", "model", "code", "reason", "attempts", "accepted_at", "died_at")
    }


def test_dead_letter_is_shown_with_its_message(stack: LiveStack, ids: list[str]) -> None:
    letter = stack.owner.get(f"/dead-letters/{ids[0]}").json()
    assert (letter["queue"], letter["model"], letter["attempts"]) == ("predict", "", 0)
    assert (letter["encoding"], base64.b64decode(letter["message"])) == ("base64", UNREADABLE)
    letter = stack.owner.get(f"/dead-letters/{ids[1]}").json()
    assert json.loads(letter["message"]) == {"headers": {"id": "stock-1"}}


def test_unreadable_message_has_a_failed_outcome(stack: LiveStack, ids: list[str]) -> None:
    error = stack.outcome("stock-1")["error"]
    assert (error["code"], error["retryable"]) == ("malformed", False)


def test_dead_letter_is_replayed(stack: LiveStack, client: redis.Redis, ids: list[str]) -> None:
    with stack.frozen("worker"):
        answer = stack.owner.post("/dead-letters/stock-1/replay")
        assert (answer.status_code, answer.headers["location"]) == (202, "/predict/result/stock-1")
        assert answer.json() == {"replayed": ["stock-1"], "refused": []}
        assert stack.http.get("/predict/result/stock-1").status_code == 202
        assert stack.owner.get("/dead-letters/stock-1").status_code == 404
        again = stack.owner.post("/dead-letters/stock-1/replay")
        assert (again.status_code, again.json()) == (202, answer.json()), "it is done already"
    assert stack.outcome("stock-1")["status"] == "failed", "it is as unreadable as before"
    until(lambda: letters(stack)["kept"] == 3, "another letter")


def test_dead_letters_are_deleted_by_id_and_by_filter(stack: LiveStack, ids: list[str]) -> None:
    assert stack.owner.delete("/dead-letters/stock-1").json() == {"deleted": 1}
    assert stack.owner.delete("/dead-letters/stock-1").status_code == 404
    assert stack.owner.delete("/dead-letters?model=iris:1").json() == {"deleted": 1}
    assert stack.owner.delete("/dead-letters?all=true").json() == {"deleted": 1}
    assert letters(stack)["bytes"] == 0


WRONG: list[tuple[str, str, Any, int, str]] = [
    ("GET", "/dead-letters?limit=0", None, 422, "invalid"),
    ("GET", "/dead-letters?limit=1001", None, 422, "invalid"),
    ("GET", "/dead-letters?limit=x", None, 422, "invalid"),
    ("GET", "/dead-letters?limit=" + "9" * 5000, None, 422, "invalid"),
    ("GET", "/dead-letters?limit=1&limit=2", None, 422, "invalid"),
    ("GET", "/dead-letters?nonsense=1", None, 422, "invalid"),
    ("GET", "/dead-letters/%00", None, 404, "dead_letter_not_found"),
    ("GET", "/dead-letters/%ff%fe", None, 404, "dead_letter_not_found"),
    ("GET", "/dead-letters/" + "x" * 5000, None, 404, "dead_letter_not_found"),
    ("GET", "/dead-letters/replay", None, 405, "method_not_allowed"),
    ("PUT", "/dead-letters/x", None, 405, "method_not_allowed"),
    ("DELETE", "/dead-letters", None, 422, "invalid"),
    ("DELETE", "/dead-letters?all=false", None, 422, "invalid"),
    ("DELETE", "/dead-letters?all=perhaps", None, 422, "invalid"),
    ("DELETE", "/dead-letters?model=", None, 422, "invalid"),
    ("DELETE", "/dead-letters/nobody", None, 404, "dead_letter_not_found"),
    ("POST", "/dead-letters/nobody/replay", None, 404, "dead_letter_not_found"),
    ("POST", "/dead-letters/replay", b"not JSON", 400, "malformed"),
    ("POST", "/dead-letters/replay", b"\xff", 400, "malformed"),
    ("POST", "/dead-letters/replay", b"[" * 60_000, 400, "malformed"),
    ("POST", "/dead-letters/replay", b" " * 70_000, 413, "too_large"),
    ("POST", "/dead-letters/replay", [], 422, "invalid"),
    ("POST", "/dead-letters/replay", None, 200, ""),
    ("POST", "/dead-letters/replay", {"model": 7}, 422, "invalid"),
    ("POST", "/dead-letters/replay", {"nonsense": 7}, 422, "invalid"),
    ("POST", "/dead-letters/replay", {"limit": 0}, 422, "invalid"),
    ("POST", "/dead-letters/replay", {"limit": "1"}, 422, "invalid"),
    ("POST", "/models/iris/versions/9/pause", None, 404, "version_not_found"),
    ("POST", "/models/nobody/versions/1/pause", None, 404, "model_not_found"),
    ("POST", "/models/iris/versions/x/pause", None, 422, "invalid"),
    ("POST", "/models/iris/versions/0/resume", None, 422, "invalid"),
    ("POST", "/models/ir%20is/versions/1/resume", None, 422, "invalid"),
    ("POST", "/models/iris/versions/1/pause", {"reason": ""}, 422, "invalid"),
    ("POST", "/models/iris/versions/1/pause", {"reason": "x" * 501}, 422, "invalid"),
    ("POST", "/models/iris/versions/1/pause", {"reason": 7}, 422, "invalid"),
    ("POST", "/models/iris/versions/1/pause", b"{", 400, "malformed"),
    ("POST", "/models/iris/versions/1/resume", {"reason": "x"}, 422, "invalid"),
    ("GET", "/models/iris/versions/1/resume", None, 405, "method_not_allowed"),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: " ".join(map(str, case[:3]))[:60])
def test_wrong_request_is_answered_with_a_problem(
    stack: LiveStack, case: tuple[str, str, Any, int, str]
) -> None:
    method, path, body, status, code = case
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    headers = {"content-type": "application/json"} if content else {}
    answer = stack.owner.request(method, path, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    if code:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == code
    assert stack.http.get("/stats").json()["paused"] == []


def test_body_of_another_content_type(stack: LiveStack) -> None:
    answer = stack.owner.post("/dead-letters/replay", content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_dead_letter_commands(stack: LiveStack, run: Run, ids: list[str]) -> None:
    listed = run("dead-letters", "list")
    assert listed.exit_code == 0, listed.output
    header, *lines = listed.output.splitlines()
    assert header.split() == ["ID", "MODEL", "CODE", "ATTEMPTS", "DIED", "REASON"]
    assert [line.split()[:3] for line in lines] == [
        ["2", "iris:1", "malformed"],
        ["stock-1", "-", "malformed"],
        [ids[0], "-", "malformed"],
    ]
    few = run("dead-letters", "list", "--limit", "1", "--json")
    assert json.loads(few.output)["matching"] == 3
    assert "and 2 more" in run("dead-letters", "list", "--limit", "1").output
    assert json.loads(run("dead-letters", "show", ids[0]).output)["encoding"] == "base64"

    with stack.frozen("worker"):
        assert run("dead-letters", "replay", "stock-1").output == "replayed stock-1\n"
        assert run("dead-letters", "replay", "--model", "iris:1").output == "replayed 1\n"
        assert run("dead-letters", "delete", ids[0]).output == "deleted 1\n"
        assert run("dead-letters", "delete", "--all").output == "deleted 0\n"
    until(lambda: letters(stack)["kept"] == 2, "they die again")
    assert run("dead-letters", "replay", "--all").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("dead-letters", "show", "nobody"), "error: there is no dead letter 'nobody'"),
        (("dead-letters", "replay", "nobody"), "error: there is no dead letter 'nobody'"),
        (("dead-letters", "delete", "no/body"), "error: "),
        (("dead-letters", "replay"), "Give ids, or filters, or --all."),
        (("dead-letters", "delete", "x", "--all"), "Give ids, or filters, or --all."),
        (("dead-letters", "list", "--limit", "0"), "0 is not in the range"),
        (("dead-letters", "list", "--url", "http://127.0.0.1:1"), "error: "),
        (("dead-letters", "list", "--url", "nonsense"), "error: not an http address"),
        (("models", "pause", "iris"), "error: name one version"),
        (("models", "pause", "iris@production"), "error: name one version"),
        (("models", "pause", "iris:9"), "error: model 'iris' has no version 9"),
        (("models", "resume", "no body:1"), "error: model must be"),
    ],
    ids=" ".join,
)
def test_refusals_of_the_commands(
    run: Run, arguments: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.http.REQUEST_TIMEOUT", 0.5)
    refused = run(*arguments)
    assert refused.exit_code != 0
    assert says in refused.output
    assert "Traceback" not in refused.output


def test_pause_commands(stack: LiveStack, client: redis.Redis, run: Run) -> None:
    paused = run("models", "pause", "iris:1", "--reason", "a test")
    assert paused.output == "paused iris:1\n", paused.output
    assert run("models", "pause", "iris:1").output == "paused iris:1, which was paused\n"
    (entry,) = stack.http.get("/stats").json()["paused"]
    assert (entry["model"], entry["trigger"], entry["parked"]) == ("iris:1", "operator", 0)
    refused = stack.http.post("/predict", json={"model": "iris", "features": ROW})
    assert refused.headers["content-type"] == "application/problem+json"
    assert (refused.status_code, refused.json()["code"]) == (503, "version_paused")
    assert run("models", "resume", "iris:1").output == "resumed iris:1\n"
    assert run("models", "resume", "iris:1").output == "iris:1 is not paused\n"
    assert stack.serves()
