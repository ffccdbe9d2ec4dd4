"""Sends one event: a POST over a connection of its own, to an address that the guard has seen."""

import asyncio
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPException, parse_headers
from io import BytesIO
from urllib.parse import SplitResult, urlsplit

import msgspec

from tasks.settings import Settings
from tasks.targets.webhook import port_of
from webhooks.guard import Resolver, TargetUnreachable, addresses_of, look_up

SEND_SECONDS = 15.0
"""Seconds that an attempt may take, from the look-up of the name to the status."""
BODY_SECONDS = 1.0
MAX_ANSWER_HEAD_BYTES = 2**14
MAX_ANSWER_BYTES = 512
"""Of the beginning of an answer that is kept with a failure."""
_status_line = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r\n]")
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
FAILURES = OSError, EOFError, ValueError, HTTPException, asyncio.LimitOverrunError
"""What an attempt may end with instead of an answer."""


class ReceiverAnswer(msgspec.Struct, frozen=True):
    """What a receiver answered."""

    status: int
    retry_after: int | None = None
    """Seconds, if it told some."""
    begins: str = ""
    """The beginning of its body, unless it was a success."""


class Sender:
    """Sends events; follows no redirect, and uses no connection twice."""

    def __init__(self, settings: Settings, resolver: Resolver = look_up) -> None:
        self._settings, self._resolver = settings, resolver
        self._tls = ssl.create_default_context()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> ReceiverAnswer:
        """Send a body; raises `TargetUnreachable` without an answer in time."""
        parts = urlsplit(url)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                return await self._post(parts, headers, body)
        except TimeoutError as error:
            told = f"{parts.hostname} did not answer within {SEND_SECONDS:.0f} s"
            raise TargetUnreachable(told) from error
        except FAILURES as error:
            raise TargetUnreachable(f"{parts.hostname}: {_reason(error)}") from error

    async def _post(
        self, parts: SplitResult, headers: Mapping[str, str], body: bytes
    ) -> ReceiverAnswer:
        reader, writer = await self._connected(parts)
        try:
            writer.write(self._head(parts, {**headers, "content-length": str(len(body))}) + body)
            await writer.drain()
            return await read_answer(reader)
        finally:
            writer.transport.abort()

    def _head(self, parts: SplitResult, headers: Mapping[str, str]) -> bytes:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if self._settings.webhooks_proxy and parts.scheme == "http":
            path = f"http://{parts.netloc}{path}"
        given = {"host": parts.netloc, "connection": "close", **headers}
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        return "\r\n".join([*lines, "", ""]).encode()

    async def _connected(self, parts: SplitResult) -> _Streams:
        host, port = parts.hostname, port_of(parts)
        if not host or not port:
            raise ValueError("its URL has no host")
        tls = self._tls if parts.scheme == "https" else None
        if self._settings.webhooks_proxy:
            return await self._through_proxy(host, port, tls)
        failure: OSError | None = None
        for address in await addresses_of(host, port, self._settings, self._resolver):
            try:
                # The name is for the certificate alone; it is not resolved again.
                return await _open(address, port, tls, host if tls else None)
            except ssl.SSLError:
                raise
            except OSError as error:
                failure = error
        raise failure or OSError("there is no address")

    async def _through_proxy(self, host: str, port: int, tls: ssl.SSLContext | None) -> _Streams:
        """A connection by a proxy, which resolves the name, and has to refuse inner addresses."""
        proxy = urlsplit(self._settings.webhooks_proxy)
        reader, writer = await _open(proxy.hostname or "", proxy.port or 3128, None, None)
        if tls is not None:
            writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nhost: {host}:{port}\r\n\r\n".encode())
            status = _status(await reader.readuntil(b"\r\n\r\n"))
            if status != 200:
                writer.transport.abort()
                raise OSError(f"the proxy answered {status}")
            await writer.start_tls(tls, server_hostname=host)
        return reader, writer


async def _open(host: str, port: int, tls: ssl.SSLContext | None, name: str | None) -> _Streams:
    return await asyncio.open_connection(
        host, port, ssl=tls, server_hostname=name, limit=MAX_ANSWER_HEAD_BYTES
    )


async def read_answer(reader: asyncio.StreamReader) -> ReceiverAnswer:
    head = await reader.readuntil(b"\r\n\r\n")
    while (status := _status(head)) < 200:
        head = await reader.readuntil(b"\r\n\r\n")
    if status < 300:
        return ReceiverAnswer(status)
    _, _, fields = head.partition(b"\r\n")
    told = parse_headers(BytesIO(fields)).get("Retry-After", "")
    retry_after = int(told) if re.fullmatch(r"\d{1,6}", told) else None
    return ReceiverAnswer(status, retry_after, await _beginning(reader))


async def _beginning(reader: asyncio.StreamReader) -> str:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(BODY_SECONDS):
            return (await reader.read(MAX_ANSWER_BYTES)).decode(errors="replace")
    return ""


def _status(head: bytes) -> int:
    if not (matched := _status_line.match(head)):
        raise ValueError("its answer is not HTTP/1.1")
    return int(matched[1])


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
