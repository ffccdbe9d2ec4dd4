"""Round trips that threads share: each gets its own answer, whoever led, and errors reach all."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from tasks.ledger.ledger import connect
from tasks.ledger.rounds import Rounds, Unsent
from tests.stack import LiveStack, until


@pytest.fixture
def client(stack: LiveStack) -> Iterator[redis.Redis]:
    with connect(stack.redis_url) as client:
        yield client
        client.delete("rounds")


def trips(client: redis.Redis) -> int:
    return client.info("stats")["total_reads_processed"]


def test_each_gets_its_own_answer(client: redis.Redis) -> None:
    rounds = Rounds(client)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: rounds.ask("ECHO", str(n)), range(2000)))
    assert answers == [str(n).encode() for n in range(2000)]


def test_those_who_come_meanwhile_go_together(client: redis.Redis) -> None:
    rounds = Rounds(client)
    rounds.ask("PING")
    before = trips(client)
    with ThreadPoolExecutor(21) as pool:
        # The first holds its round trip open while the others gather.
        first = pool.submit(rounds.ask, "BLPOP", "rounds", 5)
        until(lambda: client.info("clients")["blocked_clients"] > 0, "a round trip under way")
        asked = trips(client)
        others = [pool.submit(rounds.ask, "INCR", "rounds:count") for _ in range(20)]
        until(lambda: len(rounds._gathered) == 20, "all gathered")
        client.rpush("rounds", "go")
        assert first.result(5)[1] == b"go"
        assert len({other.result(5) for other in others}) == 20
    assert asked > before
    assert trips(client) - asked < 6
    client.delete("rounds:count")


def test_a_refused_command_fails_alone(client: redis.Redis) -> None:
    rounds = Rounds(client)

    def ask(number: int) -> object:
        try:
            return rounds.ask(*(("ECHO", str(number)) if number % 3 else ("NOSUCHCOMMAND",)))
        except redis.ResponseError as error:
            return str(error)[:15]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(300)))
    assert answers[0] == "unknown command"
    assert [a for n, a in enumerate(answers) if n % 3] == [
        str(n).encode() for n in range(300) if n % 3
    ]


def test_when_redis_is_frozen_all_know_soon_and_then_it_goes_on(
    stack: LiveStack, client: redis.Redis
) -> None:
    rounds = Rounds(client)
    rounds.ask("PING")

    def ask(_: int) -> float:
        started = time.monotonic()
        with pytest.raises(redis.RedisError):
            rounds.ask("PING")
        return time.monotonic() - started

    with stack.frozen("redis"), ThreadPoolExecutor(16) as pool:
        assert max(pool.map(ask, range(16))) < 2
    assert rounds.ask("ECHO", "again") == b"again"


def test_a_lone_command_is_not_held_back(client: redis.Redis) -> None:
    rounds = Rounds(client)
    threads = threading.active_count()
    assert [rounds.ask("ECHO", str(n)) for n in range(50)] == [b"%d" % n for n in range(50)]
    assert threading.active_count() == threads


def test_where_no_connection_can_be_had_it_is_known_that_nothing_was_sent() -> None:
    rounds = Rounds(connect("redis://127.0.0.1:1/0"))
    for ask in rounds.ask, rounds.alone:
        with pytest.raises(Unsent):
            ask("PING")
