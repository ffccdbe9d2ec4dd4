"""How many workers have stalled: each ends itself, and its supervisor starts another."""

from typing import cast

import redis

from tasks.ledger import keys


def note_stall(client: redis.Redis) -> None:
    """Count a worker that ends because it stalled."""
    client.incr(keys.STALLS)


def stalls(client: redis.Redis) -> int:
    """Workers that have stalled since the ledger began."""
    return int(cast("bytes | None", client.get(keys.STALLS)) or 0)
