"""What waits in the queue of predictions."""

import redis

from tasks.ledger import keys


def is_idle(client: redis.Redis) -> bool:
    """Whether no message waits, or is held: at one moment, as a message may go back meanwhile."""
    with client.pipeline(transaction=True) as pipe:
        pipe.llen("predict").hlen(keys.RESERVED)
        return not any(pipe.execute())
