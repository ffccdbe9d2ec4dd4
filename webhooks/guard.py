"""The guard: which addresses events may be sent to, so that no caller reaches inner services."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tasks.settings import Settings
from tasks.targets.addresses import literal_address, may_be_sent_to

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host and port."""


MOST_LOOK_UPS = 256
"""Names that are looked up at a time. A name server that does not answer holds a thread for up to a
minute, whatever becomes of the attempt."""
# Not the pool of the event loop: such a server would stop the reading of events, too.
_look_ups = ThreadPoolExecutor(MOST_LOOK_UPS, thread_name_prefix="look-up")


class TargetUnreachable(Exception):
    """An event cannot be sent; the message says why, without more of the URL than its host."""


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system's resolver knows them."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_look_ups, ask)
    return [str(address[0]) for *_, address in found]


async def addresses_of(
    host: str, port: int, settings: Settings, resolver: Resolver = look_up
) -> list[str]:
    """The addresses to connect to, resolved once: a second look might find others.

    Raises `TargetUnreachable` unless all of them may be used: a name with an inner and an outer
    address is an attempt to reach the inner one.
    """
    try:
        found = await resolver(host, port)
    except (OSError, UnicodeError) as error:
        raise TargetUnreachable(f"{host} cannot be resolved: {error}") from error
    for each in found:
        address = literal_address(each)
        if address is None or not may_be_sent_to(address, settings):
            raise TargetUnreachable(f"{host} has the address {each}, which is not public")
    if not found:
        raise TargetUnreachable(f"{host} has no address")
    return found
