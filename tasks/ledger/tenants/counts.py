"""How much was answered for each tenant, as settle.lua counts it."""

from collections import defaultdict
from typing import cast

import msgspec
import redis

from tasks.ledger import keys


class TenantCounts(msgspec.Struct, frozen=True):
    """The outcomes of one tenant since the ledger began; those of the last have the name `other`.

    The default tenant is not counted.
    """

    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    expired: int = 0
    rows: int = 0
    """Rows in succeeded predictions."""

    @property
    def outcomes(self) -> dict[str, int]:
        """Terminal state → predictions."""
        return {
            "succeeded": self.succeeded,
            "failed": self.failed,
            "cancelled": self.cancelled,
            "expired": self.expired,
        }


def tenant_counts(client: redis.Redis) -> dict[str, TenantCounts]:
    """Tenant → its counts."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for field, count in cast("dict[bytes, bytes]", client.hgetall(keys.TENANTS)).items():
        # From the right, as the name of a tenant may have blanks.
        tenant, _, what = field.decode().rpartition(" ")
        found[tenant][what] = int(count)
    return {tenant: TenantCounts(**found[tenant]) for tenant in sorted(found)}
