"""Answers to inferences, over records that are given."""

import asyncio
import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from api.http.prefer import Preference
from api.open_inference.answers import Inference, WantedOutput
from api.predictions.routes import Predictions
from api.waiting.answering import Answering
from api.waiting.entering import begin_wait
from tasks.messages import Prediction
from tasks.record import Record
from tasks.settings import Settings
from telemetry.errors import ModelError
from tests.receipts import RECEIPT

PLAIN = WantedOutput("predict", is_binary=False)


def queued(method: str) -> Record:
    asked = Prediction(model="m", version=2, alias=None, method=method, features=[], created_at=1.0)
    return Record.queued(f"id-of-{method}", asked)


def answered(
    ends: dict[str, Record], *wanted: WantedOutput, id: str = ""
) -> tuple[int, dict[str, str], bytes]:
    """Status, head and body of the answer, where each method's prediction ends like this."""

    class Wait:
        is_over = False

        def __init__(self, task_id: str) -> None:
            self.task_id = task_id

        async def outcome(self, known: Record, seconds: float) -> Record:
            return ends[known.method]

        def notify(self) -> None:
            """Nothing is missed."""

    class Waits:
        async def begin(self, task_id: str) -> Any:
            began.append(task_id)
            return Wait(task_id)

        def end(self, wait: Any) -> None:
            ended.append(wait.task_id)

    began: list[str] = []
    ended: list[str] = []
    events: list[Any] = []

    async def send(event: Any) -> None:
        events.append(event)

    async def serve() -> int:
        return await answering.answer(await begin_wait(waits, inference.awaited()), stay, send)

    async def stay() -> Any:
        await asyncio.Event().wait()

    accepted = [queued(output.method) for output in wanted]
    inference = Inference(id, wanted, accepted, Preference(), 30)
    waits: Any = Waits()
    estimates = SimpleNamespace(is_stale_for=lambda _: False)
    gateway: Any = SimpleNamespace(queue_estimates=estimates)
    unread: Any = None
    settings = Settings(home=Path("/nowhere"), redis_url="")
    predictions = Predictions(gateway, unread, settings, unread)
    sending: Any = SimpleNamespace(holding=lambda _: nullcontext())
    answering = Answering(predictions, gateway, waits, sending)
    status = asyncio.run(serve())
    assert began == ended, "each wait is given back"
    head = {name.decode(): value.decode() for name, value in events[0]["headers"]}
    return status, head, b"".join(event.get("body", b"") for event in events)


def succeeded(method: str, predictions: list[Any]) -> Record:
    return queued(method).succeeded(predictions, RECEIPT)


def test_answer_has_the_output_and_the_id_of_the_request() -> None:
    status, _, body = answered({"predict": succeeded("predict", [1, 2])}, PLAIN, id="mine")
    assert status == 200
    assert json.loads(body) == {
        "model_name": "m",
        "model_version": "2",
        "id": "mine",
        "parameters": {"prediction_ids": ["id-of-predict"]},
        "outputs": [{"name": "predict", "shape": [2], "datatype": "INT64", "data": [1, 2]}],
    }


def test_answer_waits_for_the_prediction_of_each_output() -> None:
    ends = {
        "predict_proba": succeeded("predict_proba", [[0.5, 0.5]]),
        "predict": succeeded("predict", ["a"]),
    }
    status, head, body = answered(ends, WantedOutput("predict_proba", is_binary=True), PLAIN)
    length = int(head["inference-header-content-length"])
    told, raw = json.loads(body[:length]), body[length:]
    assert (status, head["content-type"], len(raw)) == (200, "application/octet-stream", 16)
    assert [output["name"] for output in told["outputs"]] == ["predict_proba", "predict"]
    assert told["outputs"][0]["parameters"] == {"binary_data_size": 16}
    assert told["outputs"][1]["data"] == ["a"]
    assert told["parameters"]["prediction_ids"] == ["id-of-predict_proba", "id-of-predict"]
    assert told["id"] == "id-of-predict_proba"


def test_texts_have_a_binary_form_too() -> None:
    ends = {"predict": succeeded("predict", ["a"])}
    _, head, body = answered(ends, WantedOutput("predict", is_binary=True))
    assert body[int(head["inference-header-content-length"]) :] == b"\x01\x00\x00\x00a"


@pytest.mark.parametrize(
    ("end", "status", "code"),
    [
        (queued("a").failed(ModelError("no"), 1, ""), 422, "model_error"),
        (queued("a").cancelled(), 409, "cancelled"),
        (queued("a"), 504, "timed_out"),
    ],
    ids=["failed", "cancelled", "no outcome yet"],
)
@pytest.mark.parametrize("wanted", [["a"], ["a", "b"], ["b", "a"]])
def test_answer_is_the_problem_of_the_first_output_without_predictions(
    end: Record, status: int, code: str, wanted: list[str]
) -> None:
    ends = {"a": end, "b": succeeded("b", [1])}
    told = answered(ends, *(WantedOutput(name, is_binary=False) for name in wanted))
    problem = json.loads(told[2])
    assert (told[0], problem["code"], problem["id"]) == (status, code, "id-of-a")
