"""Checks `Host` and `Origin`: against DNS rebinding and cross-site requests.

A web page can point its own name at this machine (DNS rebinding); only `Host` then shows that
the request was meant for another server. A page can also post anywhere; `Origin` shows which
page it was.
The API checks both, and Flower checks `Host`.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
ANY = "*"
_authority = re.compile(r"(?:\[([^\]]{1,64})\]|([\w.-]{1,255}))(?::\d{1,5})?", re.ASCII)
MAX_REMEMBERED_HOSTS = 1024
"""Size of the cache of accepted `Host` values; beyond it each is parsed every time."""


class Hosts:
    """The names of this server: loopback, its own address, and ``PREDICTQ_HOSTS``."""

    def __init__(self, address: str, listed: str) -> None:
        """``address``: where the server listens; ``listed``: names, separated by commas.

        A listed ``.example.com`` matches every name below it, and ``*`` any host.
        """
        names = {_plain(name) for name in listed.split(",")} - {""}
        self._listed, self._any = names - {ANY}, ANY in names
        self._own = {*LOOPBACK_HOSTS, _plain(address)}
        self._literals = not is_loopback(address)
        self._right: set[bytes] = set()

    def takes(self, host: bytes) -> bool:
        """Whether a `Host` field names this server, whatever the port."""
        if host in self._right:
            return True
        right = self._any or self._knows(name_of(host.decode("latin-1")))
        if right and len(self._right) < MAX_REMEMBERED_HOSTS:
            self._right.add(host)
        return right

    def trusts(self, origin: bytes, host: bytes) -> bool:
        """Whether an `Origin` equals the `Host` of the request, or is a listed name."""
        authority = origin.decode("latin-1").lower().partition("://")[2]
        name = name_of(authority)
        is_bound = authority == host.decode("latin-1").lower()
        return bool(name) and (is_bound or _is_among(name, self._listed))

    def _knows(self, name: str) -> bool:
        # DNS rebinding needs a name; a literal IP address cannot be rebound.
        literal = self._literals and _is_literal(name)
        return name in self._own or literal or _is_among(name, self._listed)


def name_of(authority: str) -> str:
    """The host of ``host:port``, in lowercase and without brackets; empty if malformed."""
    found = _authority.fullmatch(authority)
    return _plain(found[1] or found[2]) if found else ""


def _plain(name: str) -> str:
    return name.strip().lower().removesuffix(".")


def _is_among(name: str, listed: Iterable[str]) -> bool:
    """Whether a name is listed, or lies below a listed ``.domain``."""
    return any(name == known or (known[:1] == "." and name.endswith(known)) for known in listed)


def _is_literal(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an address."""
    return _plain(address) == "localhost" or (
        _is_literal(address) and ip_address(address).is_loopback
    )
