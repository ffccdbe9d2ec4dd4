"""Reads the keys that an issuer publishes: its discovery document, and the set that it names."""

import asyncio
from typing import Annotated, Any, TypeVar

import httpx2
import msgspec

from api.issuers.issuer import is_confidential

FETCH_SECONDS = 5.0
"""Seconds for both documents, from the look-up of the name to the last byte."""
MAX_DOCUMENT_BYTES = 2**18
MAX_PUBLISHED_KEYS = 100
DISCOVERY = "/.well-known/openid-configuration"
Jwk = dict[str, Any]
"""A key as it is published (RFC 7517)."""
Published = TypeVar("Published")


class KeysUnreadable(Exception):
    """The keys of an issuer cannot be read; the message is for the log of the server."""


class _Discovery(msgspec.Struct):
    issuer: str
    jwks_uri: str


class _KeySet(msgspec.Struct):
    keys: Annotated[list[Jwk], msgspec.Meta(max_length=MAX_PUBLISHED_KEYS)]


class KeyReader:
    """Reads keys of issuers; follows no redirect, and bounds time and bytes."""

    def __init__(self) -> None:
        self._tls = httpx2.create_ssl_context()

    async def __call__(self, issuer: str) -> list[Jwk]:
        """The keys that an issuer publishes; raises `KeysUnreadable`."""
        # Without compression, few bytes cannot become many.
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        try:
            async with (
                asyncio.timeout(FETCH_SECONDS),
                httpx2.AsyncClient(verify=self._tls, headers=headers) as client,
            ):
                return await _published(client, issuer)
        except TimeoutError:
            raise KeysUnreadable(f"no whole answer within {FETCH_SECONDS:.0f} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            raise KeysUnreadable(str(error) or type(error).__name__) from error


async def _published(client: httpx2.AsyncClient, issuer: str) -> list[Jwk]:
    told = await _read(client, issuer.rstrip("/") + DISCOVERY, _Discovery)
    if told.issuer != issuer:  # it would vouch for the tokens of another one
        raise KeysUnreadable(f"its discovery document is that of {told.issuer[:200]!r}")
    if not is_confidential(told.jwks_uri):
        raise KeysUnreadable(f"it has its keys at {told.jwks_uri[:200]!r}, which is not https://")
    return (await _read(client, told.jwks_uri, _KeySet)).keys


async def _read(client: httpx2.AsyncClient, url: str, kind: type[Published]) -> Published:
    body = bytearray()
    async with client.stream("GET", url) as answer:
        if answer.status_code != httpx2.codes.OK:
            raise KeysUnreadable(f"{url[:200]} answered {answer.status_code}")
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > MAX_DOCUMENT_BYTES:
                raise KeysUnreadable(f"{url[:200]} has more than {MAX_DOCUMENT_BYTES} bytes")
    try:
        return msgspec.json.decode(bytes(body), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise KeysUnreadable(f"{url[:200]}: {error}") from error
