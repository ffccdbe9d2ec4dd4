"""Deliverers as processes: every event is delivered, whatever is killed meanwhile."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tasks.ledger.ledger import Ledger, connect
from tasks.ledger.predictions.settlement import Settled
from tasks.record import Record
from tasks.settings import Settings
from tasks.targets.webhook import Webhook, target
from tasks.webhooks.outbox import webhook_totals
from tasks.webhooks.signing import signatures, webhook_secrets
from tests.integration.ledger.ledger_harness import PREDICTION, RECEIPT, offer
from tests.support.stack import LiveStack, until
from tests.support.webhooks.receiver import Receiver, receiving

LOCAL = {"PREDICTQ_WEBHOOKS_ALLOW_LOCAL": "1"}


class Posting:
    """A Redis and a deliverer without API and workers; outcomes are written by the test."""

    def __init__(self, home: Path, receiver: Receiver) -> None:
        self.receiver = receiver
        (home / "logs").mkdir()
        self.stack = LiveStack(home, LOCAL, forks=True)
        self.stack.start("redis")
        self.settings = Settings(
            home=home, redis_url=self.stack.redis_url, webhooks_allow_local=True
        )

    def succeed(self, task_id: str, url: str) -> None:
        """Accept a prediction with a webhook, and write its outcome."""
        hook = target(Webhook(url), self.settings)
        with connect(self.stack.redis_url) as client:
            ledger = Ledger(client, self.settings)
            ledger.accept(msgspec.structs.replace(offer(task_id), webhook=hook))
            done = Record.queued(task_id, PREDICTION).succeeded([7], RECEIPT)
            ledger.settle("churn:3", [Settled(done)])

    def hasten(self) -> None:
        """Make every hold and wait end now, in place of hours."""
        with connect(self.stack.redis_url) as client:
            for name in client.keys("predictq:webhooks:*"):
                if client.type(name) == b"zset":
                    for member in client.zrange(name, 0, -1):
                        client.zadd(name, {member: 1}, xx=True)

    def open(self) -> int:
        with connect(self.stack.redis_url) as client:
            return webhook_totals(client).webhooks


@pytest.fixture
def posting(tmp_path: Path) -> Iterator[Posting]:
    with receiving() as receiver:
        posting = Posting(tmp_path, receiver)
        try:
            yield posting
        finally:
            posting.stack.end()


@pytest.mark.slow
def test_every_event_is_delivered_whatever_the_receiver_does_and_is_killed(
    posting: Posting,
) -> None:
    stack, receiver = posting.stack, posting.receiver
    receiver.answers["/errs"] = [(500, {}), (302, {"location": "/ok"}), (204, {})]
    receiver.answers["/gone"] = [(410, {})]
    receiver.hangs.add("/hangs")
    stack.start("webhooks")
    for path in ("ok", "errs", "gone", "hangs"):
        posting.succeed(path, f"{receiver.url}/{path}")

    until(lambda: receiver.on("/hangs") and receiver.on("/errs"), "first attempts")
    until(lambda: receiver.on("/ok") and receiver.on("/gone"), "answers")
    # While an event is being sent, the deliverer is killed, and Redis with it.
    stack.kill("webhooks")
    stack.kill("redis")
    receiver.hangs.clear()
    stack.start("redis")
    stack.start("webhooks")
    until(lambda: posting.hasten() or not posting.open(), "all are delivered")

    told = {path: [each.status for each in receiver.on(path)] for path in ("/ok", "/errs", "/gone")}
    assert told["/ok"][-1] == 200
    assert told["/errs"][-1] == 204
    assert Counter(told["/gone"]).keys() == {410}
    assert len(receiver.on("/hangs")) >= 2
    # Repetitions have the id of the first attempt, so that receivers can tell.
    ids = {path: {each.headers["webhook-id"] for each in receiver.on(path)} for path in told}
    assert all(len(found) == 1 for found in ids.values())
    assert len({each.headers["webhook-id"] for each in receiver.on("/hangs")}) == 1


@pytest.mark.slow
def test_event_is_signed_and_has_the_outcome_and_no_url_is_logged(posting: Posting) -> None:
    path, log = "/a?token=secret", posting.stack.home / "logs" / "webhooks.log"
    posting.receiver.answers[path] = [(500, {}), (200, {})]
    posting.stack.start("webhooks")
    posting.succeed("a", posting.receiver.url + path)

    until(lambda: posting.hasten() or not posting.open(), "delivery")
    received = posting.receiver.log[-1]
    content = json.loads(received.body)
    assert content["type"] == "prediction.succeeded"
    assert content["data"]["predictions"] == [7]
    assert content["data"]["url"] == "/predict/result/a"
    assert content["data"]["receipt"]["version"] == 3
    headers = received.headers
    sent_at = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"] == signatures(
        webhook_secrets(posting.settings.home), headers["webhook-id"], sent_at, received.body
    )
    told = log.read_text()
    assert "answered 500" in told
    assert "token" not in told
