"""Pipelined commands share round trips: each gets its own reply, and errors reach all."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
import redis
import uvloop

from tasks.ledger.ledger import connect
from tasks.ledger.predictions.pipeline import Pipeline
from tasks.ledger.predictions.round_trips import Unsent
from tests.support.stack import until


@pytest.fixture
def pipeline(client: redis.Redis) -> Pipeline:
    client.flushall()
    return Pipeline(client)


def trips(client: redis.Redis) -> int:
    return client.info("stats")["total_reads_processed"]


def test_pipelined_requests_get_their_own_answers(pipeline: Pipeline) -> None:
    async def ask() -> list[bytes]:
        return await asyncio.gather(*(pipeline.ask("ECHO", str(n)) for n in range(2000)))

    assert asyncio.run(ask()) == [str(n).encode() for n in range(2000)]


def test_concurrent_requests_share_a_round_trip(client: redis.Redis, pipeline: Pipeline) -> None:
    def is_under_way() -> bool:
        return client.info("clients")["blocked_clients"] > 0

    async def ask() -> tuple[set[int], int]:
        # The first command blocks its round trip while the others gather.
        first = asyncio.ensure_future(pipeline.ask("BLPOP", "rounds", 5))
        await asyncio.sleep(0)
        await asyncio.to_thread(until, is_under_way, "a round trip under way")
        asked = trips(client)
        others = [asyncio.ensure_future(pipeline.ask("INCR", "rounds:count")) for _ in range(20)]
        await asyncio.sleep(0)
        client.rpush("rounds", "go")
        assert (await first)[1] == b"go"
        return set(await asyncio.gather(*others)), trips(client) - asked

    counts, taken = asyncio.run(ask())
    assert counts == set(range(1, 21))
    assert taken < 6


def test_pipelined_command_that_is_refused_fails_alone(pipeline: Pipeline) -> None:
    async def ask() -> list[bytes | BaseException]:
        commands = (("ECHO", str(n)) if n % 3 else ("NOSUCHCOMMAND",) for n in range(300))
        asked = (pipeline.ask(*command) for command in commands)
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(ask())
    assert all(isinstance(answers[n], redis.ResponseError) for n in range(0, 300, 3))
    assert [a for n, a in enumerate(answers) if n % 3] == [
        str(n).encode() for n in range(300) if n % 3
    ]


def test_cancelled_requests_block_no_others(pipeline: Pipeline) -> None:
    async def ask() -> bytes:
        gone = [asyncio.ensure_future(pipeline.ask("ECHO", "gone")) for _ in range(5)]
        await asyncio.sleep(0)
        for each in gone:
            each.cancel()
        return await pipeline.ask("ECHO", "here")

    assert asyncio.run(ask()) == b"here"


def test_frozen_redis_fails_requests_soon_and_recovers(
    client: redis.Redis, pipeline: Pipeline
) -> None:
    async def ask(count: int) -> tuple[list[bytes | BaseException], float]:
        started = time.monotonic()
        asked = (pipeline.ask("PING") for _ in range(count))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        return answers, time.monotonic() - started

    server = psutil.Process(client.info("server")["process_id"])
    server.suspend()
    try:
        answers, seconds = asyncio.run(ask(16))
    finally:
        server.resume()
    assert seconds < 2
    assert all(isinstance(answer, redis.RedisError) for answer in answers)
    assert asyncio.run(ask(1))[0] == [True]


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_connection_that_died_meanwhile_is_made_again(
    client: redis.Redis, pipeline: Pipeline, run: Callable[[Any], list[bytes]]
) -> None:
    async def ask() -> list[bytes]:
        before = await pipeline.ask("ECHO", "before")
        await asyncio.to_thread(client.execute_command, "CLIENT", "KILL", "TYPE", "normal")
        during = await pipeline.ask("ECHO", "during")
        # As after a reset, which the event loop has noticed.
        pipeline._trips._connection._writer.transport.abort()
        for _ in range(20):
            await asyncio.sleep(0)
        return [before, during, await pipeline.ask("ECHO", "after")]

    assert run(ask()) == [b"before", b"during", b"after"]


def test_refused_connection_means_that_nothing_was_sent() -> None:
    pipeline = Pipeline(connect("redis://127.0.0.1:1/0"))
    with pytest.raises(Unsent):
        asyncio.run(pipeline.ask("PING"))
    with pytest.raises(Unsent):
        pipeline.ask_now("PING")
