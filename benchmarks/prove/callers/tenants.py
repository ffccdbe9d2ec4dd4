"""The tenants whose keys the callers present, in turn."""

import itertools

import redis

from tasks.ledger.api_keys.key_store import KeyStore
from tasks.ledger.api_keys.new_key import NewKey

TENANTS = {"red": 1.0, "green": 2.0, "blue": 5.0}
"""Name of the tenant, and of its key → the weight of the key."""


class Tenants:
    """Chooses whose key a request presents; by default there is one caller, without a key."""

    def __init__(self, headers: tuple[str, ...] = ("",)) -> None:
        """``headers``: the header line with the key of each tenant."""
        self._headers = headers
        self._turns = itertools.cycle(range(len(headers)))

    def next(self) -> int:
        """The number of the tenant whose turn it is."""
        return next(self._turns)

    def header(self, tenant: int) -> str:
        """The header line of a tenant."""
        return self._headers[tenant]


def make_tenants(client: redis.Redis) -> Tenants:
    """Make a key for each of `TENANTS`."""
    store = KeyStore(client)
    wanted = (
        NewKey(name=name, scopes=("predict",), tenant=name, weight=weight)
        for name, weight in TENANTS.items()
    )
    tokens = [store.create(each.key())[1] for each in wanted]
    return Tenants(tuple(f"Authorization: Bearer {token}" for token in tokens))
