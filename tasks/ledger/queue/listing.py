"""Lists ids of predictions that have no outcome yet, from the messages themselves."""

import redis

from tasks.ledger import keys
from tasks.ledger.scripts import load_script


class OpenIds:
    """Reads ids; the messages, which may be large, stay in Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._queued = load_script(client, "ledger.queue.queued")
        self._reserved = load_script(client, "ledger.queue.reserved")

    def queued(self, queue: str, most: int) -> list[str]:
        """Ids of messages that wait on a queue, the next to be taken first."""
        return _texts(self._queued(keys=[queue], args=[most]))

    def reserved(self, queue: str, most: int) -> list[str]:
        """Ids of reserved messages, of at most ``most`` reservations, in no order."""
        return _texts(self._reserved(keys=[keys.RESERVED], args=[queue, most]))


def _texts(ids: list[bytes]) -> list[str]:
    # Any producer can choose an id, also one that is not UTF-8.
    return [task_id.decode(errors="replace") for task_id in ids]
