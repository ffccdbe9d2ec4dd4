"""`AsyncClient` with a live stack: many calls wait at the same time, each for its own answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pandas as pd

from predictq import AsyncClient
from tests.support.stack import LiveStack

ROWS = [[5.1, 3.5, 1.4, 0.2], [5.8, 2.8, 5.1, 2.4]]
"""Of classes 0 and 2."""
NAMES = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
MANY = 300
"""Calls at the same time; three times the connections of a client."""
T = TypeVar("T")


def run(stack: LiveStack, call: Callable[[AsyncClient], Awaitable[T]]) -> T:
    async def session() -> T:
        async with AsyncClient(stack.url) as client:
            return await call(client)

    return asyncio.run(session())


def test_async_client_gets_each_call_its_own_answer(stack: LiveStack) -> None:
    async def predict_many(client: AsyncClient) -> list[list[int]]:
        calls = (client.predict("iris", ROWS[number % 2]) for number in range(MANY))
        return [answer.predictions for answer in await asyncio.gather(*calls)]

    assert run(stack, predict_many) == [[0], [2]] * (MANY // 2)


def test_async_client_maps_a_frame(stack: LiveStack) -> None:
    frame = pd.DataFrame(ROWS * 400, columns=NAMES)

    async def map_frame(client: AsyncClient) -> list[list[int]]:
        answers = client.map("iris", frame, return_exceptions=True)
        return [answer.predictions async for answer in answers]

    assert run(stack, map_frame) == [[0], [2]] * 400
