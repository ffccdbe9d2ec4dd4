"""The receiver of the proof notes signed events, and refuses others."""

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx2
import msgspec
import pytest

from benchmarks.prove.callers.receiver import REFUSED_SHARE, Receiver
from benchmarks.prove.evidence import Event
from tasks.webhooks.signing import signatures, webhook_secrets


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path, Random(0))
    receiver.start()
    yield receiver
    receiver.stop()


def send(receiver: Receiver, secrets: list[str], predictions: list[float]) -> int:
    data = {"id": "id-1", "predictions": predictions}
    body = msgspec.json.encode({"type": "prediction.succeeded", "timestamp": "", "data": data})
    now = int(time.time())
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(now),
        "webhook-signature": signatures(secrets, "evt_1", now, body),
    }
    return httpx2.post(receiver.url, content=body, headers=headers).status_code


def test_event_is_noted_even_if_it_is_refused(receiver: Receiver, tmp_path: Path) -> None:
    secrets, many = webhook_secrets(tmp_path), round(3 / REFUSED_SHARE)
    statuses = {send(receiver, secrets, [number]) for number in range(many)}
    assert statuses == {204, 503}
    events = [Event("prediction.succeeded", [number]) for number in range(many)]
    assert receiver.events == {"id-1": events}
    assert receiver.strange == []


def test_event_with_another_signature_is_strange(receiver: Receiver) -> None:
    assert send(receiver, ["whsec_" + "A" * 44], [1.0]) == 401
    assert receiver.events == {}
    assert len(receiver.strange) == 1
