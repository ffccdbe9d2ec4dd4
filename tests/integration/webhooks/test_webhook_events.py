"""Events for webhooks: recorded with the outcome, sent in order, and never lost to a kill."""

import msgspec
import pytest
import redis

from tasks.gateway import Gateway
from tasks.ids import Ids
from tasks.ledger import keys
from tasks.ledger.dead_letters.letters import DeadLetters, Filter
from tasks.ledger.dead_letters.replay import Replays
from tasks.ledger.predictions.settlement import Settled
from tasks.ledger.script_constants import ACCEPTING
from tasks.targets.webhook import Target
from tasks.webhooks.outbox import MOST_SENDING, Held, Outbox, webhook_totals
from telemetry.errors import ModelUnloadable, QueueFull
from tests.integration.ledger.jobs.job_worker import ORDER, ManualWorker
from tests.integration.ledger.ledger_harness import PREDICTION, RECEIPT, LedgerHarness, offer

TARGET = Target("https://one.example/hook", "https://one.example:443")


class Hooked:
    """Predictions with webhooks, and what a deliverer takes."""

    def __init__(self, harness: LedgerHarness) -> None:
        self.harness, self.client, self.ledger = harness, harness.client, harness.ledger
        self.outbox = Outbox(self.client, harness.settings)

    def accept(self, task_id: str, target: Target = TARGET) -> None:
        prediction = msgspec.structs.replace(PREDICTION, webhook=target)
        self.ledger.accept(msgspec.structs.replace(offer(task_id, prediction), webhook=target))

    def succeed(self, *ids: str, target: Target = TARGET) -> None:
        for task_id in ids:
            self.accept(task_id, target)
            ((tag, _),) = self.harness.take()
            done = self.ledger.record(task_id).succeeded([7], RECEIPT)
            self.ledger.settle("churn:3", [Settled(done, tag)])

    def die(self, task_id: str) -> None:
        """Fail a prediction that was accepted, so that it leaves a dead letter."""
        ((tag, _),) = self.harness.take()
        failed = self.ledger.record(task_id).failed(ModelUnloadable("broken"))
        self.ledger.settle("churn:3", [Settled(failed, tag, dead_after=1)])

    def claim(self, many: int = 100) -> list[Held]:
        return self.outbox.claim(many)

    def types(self) -> list[tuple[str, str]]:
        return [(held.event.subject, held.event.type) for held in self.claim()]

    def is_clean(self) -> bool:
        """Whether nothing is left but the counts."""
        return set(self.client.keys("predictq:webhooks*")) <= {keys.WEBHOOK_TOTALS.encode()}

    def pass_time(self) -> None:
        """Make every hold and wait end now."""
        for name in self.client.keys("predictq:webhooks:*"):
            if self.client.type(name) == b"zset":
                for member in self.client.zrange(name, 0, -1):
                    self.client.zadd(name, {member: 1})


@pytest.fixture
def hooked(client: redis.Redis) -> Hooked:
    client.flushall()
    return Hooked(LedgerHarness(client, max_queued=20))


def test_outcome_records_its_event_until_that_is_delivered(hooked: Hooked) -> None:
    hooked.succeed("a")

    (held,) = hooked.claim()
    assert (held.event.subject, held.event.type) == ("a", "prediction.succeeded")
    assert (held.event.version, held.event.url) == ("churn:3", TARGET.url)
    assert not hooked.claim()  # it is held
    assert hooked.outbox.finish(held, "delivered")

    assert not hooked.claim()
    assert hooked.is_clean()
    assert webhook_totals(hooked.client).delivered == 1


def test_only_wanted_events_are_recorded(hooked: Hooked) -> None:
    unwanted = msgspec.structs.replace(TARGET, events=("prediction.failed",))
    hooked.succeed("a", target=unwanted)

    assert not hooked.claim()
    assert hooked.is_clean()


def test_cancelled_and_expired_predictions_have_events_too(hooked: Hooked) -> None:
    gateway = Gateway(hooked.ledger, Ids(b"key"), hooked.harness.settings)
    hooked.accept("a")
    hooked.accept("b")
    gateway.cancel("a")
    hooked.ledger.settle("churn:3", [Settled(hooked.ledger.record("b").expired())])

    assert hooked.types() == [("a", "prediction.cancelled"), ("b", "prediction.expired")]


def test_event_of_a_killed_deliverer_is_taken_again_under_the_same_id(hooked: Hooked) -> None:
    hooked.succeed("a")
    (first,) = hooked.claim()
    hooked.pass_time()
    (second,) = hooked.claim()

    assert second.event == first.event
    # The first deliverer lives after all, but the second one holds the event now.
    assert not hooked.outbox.finish(first, "delivered")
    assert hooked.outbox.finish(second, "delivered")
    assert hooked.is_clean()


def test_failed_attempt_is_repeated_after_its_wait_and_counted(hooked: Hooked) -> None:
    hooked.succeed("a")
    (held,) = hooked.claim()
    hooked.outbox.finish(held, "again", 300)

    assert not hooked.claim()
    hooked.pass_time()
    (again,) = hooked.claim()
    assert (again.event.id, again.attempts) == (held.event.id, 1)


def test_one_origin_gets_a_few_at_a_time_and_others_go_on(hooked: Hooked) -> None:
    other = Target("https://two.example/", "https://two.example:443")
    many = [f"{n:02}" for n in range(MOST_SENDING + 2)]
    hooked.succeed(*many)
    hooked.succeed("other", target=other)

    held = hooked.claim()
    assert [each.event.subject for each in held] == [*many[:MOST_SENDING], "other"]
    hooked.outbox.finish(held[0], "delivered")
    assert hooked.types() == [(many[MOST_SENDING], "prediction.succeeded")]


def test_given_up_event_is_a_dead_letter_and_its_replay_sends_it_again(hooked: Hooked) -> None:
    hooked.succeed("a")
    (held,) = hooked.claim()
    hooked.outbox.finish(held, "given_up", reason="it answered 500")
    letters = DeadLetters(hooked.client, hooked.harness.settings)

    (letter,) = letters.find(Filter(queue="webhooks"))
    assert (letter.id, letter.code, letter.model) == (held.event.id, "webhook_failed", "churn:3")
    assert not hooked.claim()
    replays = Replays(hooked.ledger, letters)
    assert replays.replay(letter.id) == "a"
    assert replays.replay(letter.id) == "a"  # a second time changes nothing

    (again,) = hooked.claim()
    assert again.event == held.event
    hooked.outbox.finish(again, "delivered")
    assert hooked.is_clean()
    assert not list(letters.find(Filter()))


def test_replayed_prediction_has_a_second_event_behind_the_first(hooked: Hooked) -> None:
    hooked.accept("a")
    hooked.die("a")
    Replays(hooked.ledger, DeadLetters(hooked.client, hooked.harness.settings)).replay("a")
    ((tag, _),) = hooked.harness.take()
    done = hooked.ledger.record("a").succeeded([7], RECEIPT)
    hooked.ledger.settle("churn:3", [Settled(done, tag)])

    (first,) = hooked.claim()
    assert first.event.type == "prediction.failed"
    assert not hooked.claim()  # the second one waits for the first
    hooked.outbox.finish(first, "delivered")
    (second,) = hooked.claim()
    assert second.event.type == "prediction.succeeded"
    hooked.outbox.finish(second, "delivered")
    assert hooked.is_clean()


def test_webhook_is_forgotten_with_the_dead_letter_of_its_prediction(hooked: Hooked) -> None:
    hooked.accept("a")
    hooked.die("a")
    (held,) = hooked.claim()
    hooked.outbox.finish(held, "delivered")
    assert hooked.client.hexists(keys.WEBHOOKS, "a")  # a replay would be told of

    DeadLetters(hooked.client, hooked.harness.settings).delete(["a"])
    assert hooked.is_clean()


def test_too_many_webhooks_refuse_only_further_ones(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ACCEPTING, "max_webhooks", 1)
    tight = Hooked(LedgerHarness(hooked.client, max_queued=10))
    tight.accept("a")
    with pytest.raises(QueueFull, match="webhooks"):
        tight.accept("b")
    assert tight.harness.accept("c") == "c"


def test_prediction_without_webhook_writes_nothing_of_them(hooked: Hooked) -> None:
    hooked.harness.accept("a")
    ((tag, _),) = hooked.harness.take()
    done = hooked.ledger.record("a").succeeded([7], RECEIPT)
    hooked.ledger.settle("churn:3", [Settled(done, tag)])
    assert not hooked.client.keys("predictq:webhooks*")


def test_webhook_is_no_part_of_the_message(hooked: Hooked) -> None:
    hooked.accept("a")
    (message,) = hooked.client.lrange("predict", 0, -1)
    assert b"webhook" not in message


@pytest.mark.parametrize("dry_run", [False, True])
def test_end_of_a_batch_job_is_told_but_not_that_of_a_dry_run(
    hooked: Hooked, dry_run: bool
) -> None:
    jobs = ManualWorker(hooked.client)
    jobs.submit("a", order=msgspec.structs.replace(ORDER, webhook=TARGET, dry_run=dry_run))
    jobs.ledger.cancel("a")

    held = hooked.claim()
    assert [each.event.type for each in held] == ([] if dry_run else ["batch.cancelled"])
    for each in held:
        assert each.event.version == "m:1"
        hooked.outbox.finish(each, "delivered")
    assert hooked.is_clean()
