"""Checks of a running stack by what its API says, of its addresses, and by predictions."""

import socket
from typing import Any

import msgspec
import pytest

from cli.doctor import stack_checks
from cli.doctor.address_checks import address_checks
from cli.doctor.finding import finding_of
from cli.doctor.prediction_checks import LOAD_PREDICTIONS, Question, _answers, _load
from cli.doctor.stack_checks import findings_of_stack
from predictq import Client
from predictq.errors import PredictqError
from stack.http import CallResult
from stack.running import RunningStack

GOOD: dict[str, Any] = {
    "workers": [{"queues": ["predict"], "processes": 1}, {"queues": ["bulk"], "processes": 1}],
    "canaries": {"predict": {"age_seconds": 3.0, "seconds": 0.1}},
    "uptime_seconds": 1000.0,
    "dead_letters": 0,
    "paused": [],
}
STACK = RunningStack(pid=1, url="http://127.0.0.1:5000")
PAUSE = {"model": "iris:1", "reason": "it hangs"}
WAITED = 'predictq_queue_oldest_seconds{queue="predict"} '


def not_passed(
    monkeypatch: pytest.MonkeyPatch,
    stats: dict[str, Any],
    waited: str = "0.5",
    ready: int = 200,
    stack: RunningStack = STACK,
) -> dict[str, str]:
    answers = {
        "/stats": CallResult(ready and 200, msgspec.json.encode(stats)),
        "/ready": CallResult(ready),
        "/metrics": CallResult(200, f"{WAITED}{waited}\n".encode()),
    }
    monkeypatch.setattr(stack_checks, "call_http", lambda port, method, path, **_: answers[path])
    found = findings_of_stack(stack, 5000)
    return {each.check: each.level for each in found if each.level != "pass"}


def test_good_stack_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not_passed(monkeypatch, GOOD) == {}


@pytest.mark.parametrize("body", [b"<html>", b"[]"])
def test_answer_of_another_program_fails_one_check(
    monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(stack_checks, "call_http", lambda *_, **__: CallResult(200, body))
    (found,) = findings_of_stack(STACK, 5000)
    assert (found.level, found.message) == ("fail", "another program answers on port 5000")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"workers": []}, {"workers": "fail"}),
        ({"workers": GOOD["workers"][:1]}, {"workers": "warn"}),
        (
            {"workers": [*GOOD["workers"], {"queues": ["predict"], "processes": 10_000}]},
            {"processors": "fail"},
        ),
        ({"canaries": {}}, {"canaries": "warn"}),
        ({"canaries": {"predict": {"age_seconds": 70.0}}}, {"canaries": "warn"}),
        ({"canaries": {"predict": {"age_seconds": 400.0}}}, {"canaries": "fail"}),
        (
            {"canaries": {"predict": {"age_seconds": 400.0}}, "uptime_seconds": 9.0},
            {"canaries": "warn"},
        ),
        ({"dead_letters": 3}, {"dead letters": "warn"}),
        ({"paused": [PAUSE | {"trigger": "operator"}]}, {"paused versions": "warn"}),
        ({"paused": [PAUSE | {"trigger": "failures"}]}, {"paused versions": "fail"}),
    ],
)
def test_faults_that_statistics_show(
    monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any], expected: dict[str, str]
) -> None:
    assert not_passed(monkeypatch, GOOD | facts) == expected


@pytest.mark.parametrize(("waited", "level"), [("11", "warn"), ("121", "fail")])
def test_queue_that_stands(monkeypatch: pytest.MonkeyPatch, waited: str, level: str) -> None:
    assert not_passed(monkeypatch, GOOD, waited) == {"queue": level}


@pytest.mark.parametrize("status", [0, 503])
def test_api_that_is_not_ready(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    assert not_passed(monkeypatch, GOOD, ready=status) == {"API": "fail"}


def test_statistics_of_an_older_release_leave_the_other_checks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    older = {name: told for name, told in GOOD.items() if name != "canaries"}
    assert not_passed(monkeypatch, older) == {"canaries": "fail"}


def test_process_that_a_restart_left(monkeypatch: pytest.MonkeyPatch) -> None:
    late = msgspec.structs.replace(STACK, stayed=("bulk",))
    assert not_passed(monkeypatch, GOOD, stack=late) == {"restart": "warn"}


@pytest.mark.parametrize(("host", "level"), [("127.0.0.1", "pass"), ("0.0.0.0", "fail")])
def test_address_that_others_reach(host: str, level: str) -> None:
    with socket.create_server((host, 0)) as server:
        stack = RunningStack(pid=1, url=f"http://127.0.0.1:{server.getsockname()[1]}")
        (check,) = address_checks(stack)
        assert finding_of(check).level == level
    assert finding_of(check).message.startswith("nothing listens on port ")


class Answering:
    """What a client answers."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.asked = 0

    def predict(self, model: str, rows: Any, *, method: str) -> Any:
        self.asked += 1
        if isinstance(self._answer, PredictqError):
            raise self._answer
        return type("Prediction", (), {"predictions": self._answer})


def asked(answer: Any, *questions: Question) -> tuple[str, str]:
    client: Client = Answering(answer)
    found = _answers(client, list(questions))
    return found.level, found.message


GOLDEN = Question("iris:1", "predict", [1.0], [2])
PLAIN = Question("wine:1", "predict", [1.0], [])


def test_predictions_are_compared_with_golden_rows() -> None:
    assert asked([2], GOLDEN, PLAIN) == (
        "pass",
        "iris:1, wine:1 answer, 1 equal to the golden rows",
    )
    assert asked([3], GOLDEN) == ("fail", "iris:1 answers [3], its golden row has [2]")
    assert asked(PredictqError("it is paused"), PLAIN) == ("fail", "wine:1: it is paused")
    assert asked([2])[0] == "warn"


def test_load_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = Answering([2])
    found = _load(client, PLAIN)
    assert (found.level, client.asked) == ("pass", LOAD_PREDICTIONS)
    assert found.message.startswith(f"{LOAD_PREDICTIONS} of wine:1: ")
