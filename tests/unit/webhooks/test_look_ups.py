"""Names whose server does not answer delay no other work of the deliverer."""

import asyncio
import socket
import threading
from typing import Any

import pytest

from webhooks.guard import look_up

NAMES = 40
"""More than the event loop has threads for other work."""


def test_names_that_hang_leave_the_threads_of_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = threading.Event()

    def hanging(*_: Any, **__: Any) -> list[Any]:
        end.wait(30)
        return []

    async def run() -> str:
        looking = [asyncio.create_task(look_up(f"{n}.example", 443)) for n in range(NAMES)]
        await asyncio.sleep(0)
        try:
            return await asyncio.wait_for(asyncio.to_thread(str, "read"), 20)
        finally:
            end.set()
            await asyncio.gather(*looking)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    assert asyncio.run(run()) == "read"
