"""Lost replies of scripts: a call has its whole effect or none, and counts once."""

from typing import Any

import pytest
import redis
from redis.commands.core import Script

from tasks.ledger import keys
from tasks.ledger.predictions.attempts import NotStarted, Start
from tasks.time_limits import MAX_ATTEMPTS
from tests.integration.ledger.ledger_harness import LedgerHarness
from tests.integration.ledger.pauses.pause_harness import PauseHarness
from tests.support.stack import until
from workers.pool.child import RetryingLedger

pytestmark = pytest.mark.slow

MANY = 2500
"""Messages: more than a script moves in one go."""


@pytest.fixture
def parked(client: redis.Redis) -> tuple[PauseHarness, list[str]]:
    harness = PauseHarness(client, max_queued=MANY)
    ids = [harness.accept() for _ in range(MANY)]
    harness.pauses.pause("churn:3", "a test")
    until(lambda: harness.take() == [] and not harness.queued(), "all are parked")
    return harness, ids


class LostReply:
    """Stands in for a script whose caller dies before it reads the reply."""

    def __init__(self, client: redis.Redis, script: Script) -> None:
        self._client, self._script = client, script
        client.script_load(script.script)

    def __call__(self, keys: list[str] = [], args: list[Any] = []) -> int:  # noqa: B006 - as Script
        connection = self._client.connection_pool.make_connection()
        connection.connect()
        connection.send_command("EVALSHA", self._script.sha, len(keys), *keys, *args)
        connection.disconnect()
        return 0


def test_resume_whose_answer_is_lost(parked: tuple[PauseHarness, list[str]]) -> None:
    harness, ids = parked
    harness.pauses._resume = LostReply(harness.client, harness.pauses._resume)

    harness.pauses.resume("churn:3")

    until(lambda: not harness.paused(), "it is resumed")
    assert not harness.client.exists(keys.PARKED + "churn:3")
    assert [task_id for _ in range(MANY // 100) for _, task_id in harness.take()] == ids
    assert not harness.queued()


def test_probe_whose_settlement_is_unanswered(parked: tuple[PauseHarness, list[str]]) -> None:
    harness, ids = parked
    harness.pauses.resume("churn:3")
    harness.fail(harness.take(3))
    until(lambda: harness.take() == [] and not harness.queued(), "all are parked")
    until(lambda: harness.reservations.upkeep([]) or harness.queued(), "a probe")
    (probe,) = harness.take()
    settle, harness.ledger._settle = (
        harness.ledger._settle,
        LostReply(harness.client, harness.ledger._settle),
    )

    harness.succeed([probe])
    until(lambda: not harness.paused(), "it is resumed")
    harness.ledger._settle = settle
    assert harness.succeed([probe]) == 0, "a process tries again until it hears"

    assert [task_id for _ in range(MANY // 100) for _, task_id in harness.take()] == ids[4:]
    assert not harness.queued()


@pytest.mark.parametrize(
    ("ids", "starts"), [(["a"], [1]), (["a", "b"], [NotStarted.SUSPECT, NotStarted.SUSPECT])]
)
def test_start_whose_answer_is_lost_repeatedly(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch, ids: list[str], starts: list[Start]
) -> None:
    """Its computation killed no process, so lost replies must not exhaust its attempts."""
    monkeypatch.setattr("tasks.ledger.server.outage.MAX_RETRY_PAUSE", 0.01)
    monkeypatch.setattr("tasks.ledger.server.outage.FIRST_RETRY_PAUSE", 0.01)
    harness = LedgerHarness(client)
    batch = harness.reserve(*ids)
    ledger = RetryingLedger(client, harness.settings)
    start, lost = ledger._start, iter(range(2 * MAX_ATTEMPTS))

    def deaf(**asked: Any) -> Any:
        answer = start(**asked)
        if next(lost, None) is not None:
            raise redis.ConnectionError
        return answer

    ledger._start = deaf

    assert ledger.start(batch) == starts
    assert client.hvals(keys.ATTEMPTS) == [b"1"] * len(ids)


def test_suspect_is_charged_before_its_microbatch_began(harness: LedgerHarness) -> None:
    batch = harness.reserve("a")
    harness.ledger.start(batch)
    harness.ledger.postpone(batch, suspect=True)
    (tag,) = harness.client.hkeys(keys.RESERVED)

    assert harness.ledger.start([(tag.decode(), "a")], again=True) == [2]
