"""An issuer, and a process of the API that trusts it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.issuers.fetching import KeyReader
from api.issuers.issuer import read_issuers
from api.issuers.jwt_callers import JwtCallers
from tasks.callers.caller import Caller
from telemetry.errors import PredictqError
from tests.support.openid.provider import Provider, providing

CLAIMS = """
scopes = ["models:read"]
scopes_claim = "scope"
groups_claim = ["realm", "groups"]
tenant_claim = "team"
models_claim = "models"
rate = "100/s"
[issuers.groups]
ml = ["operator"]
"""
BY_KEY = Caller(key="abcdefgh", name="billing")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as provider:
        yield provider


@pytest.fixture(scope="session")
def reader() -> KeyReader:
    """One for all tests, as it reads the certificates of the machine."""
    return KeyReader()


class Process:
    """What a process of the API knows of its issuers. Its event loop goes on between calls."""

    def __init__(self, file: Path, read: Callable[[str], Awaitable[Any]]) -> None:
        self.jwts = JwtCallers(read_issuers(file), read, self._by_key)
        self._loop = asyncio.new_event_loop()
        self.headers: list[bytes] = []

    async def _by_key(self, header: bytes, address: str) -> Caller | None:
        self.headers.append(header)
        return BY_KEY

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(coroutine)

    def present(self, *tokens: str | bytes) -> list[Caller | str]:
        """The callers that present tokens at the same time, or the codes of the refusals."""

        async def one(token: str | bytes) -> Caller | str:
            text = token.encode() if isinstance(token, str) else token
            try:
                found = await self.jwts.caller(b"Bearer " + text, "127.0.0.1")
            except PredictqError as error:
                return error.code
            assert found
            return found

        async def all_of_them() -> Any:
            return await asyncio.gather(*map(one, tokens))

        return list(self.run(all_of_them()))

    def caller(self, token: str) -> Caller:
        (found,) = self.present(token)
        assert isinstance(found, Caller), found
        return found

    def refusal(self, token: str | bytes) -> str:
        (found,) = self.present(token)
        assert isinstance(found, str)
        return found

    def settle(self) -> None:
        """Wait for what goes on in the background."""

        async def rest() -> None:
            await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})

        self.run(rest())

    def close(self) -> None:
        self.settle()
        self._loop.close()


@pytest.fixture
def process(provider: Provider, tmp_path: Path, reader: KeyReader) -> Iterator[Process]:
    process = Process(provider.file(tmp_path / "issuers.toml"), reader)
    yield process
    process.close()
