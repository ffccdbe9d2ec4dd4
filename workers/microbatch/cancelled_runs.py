"""Frees pool processes whose predictions were all cancelled while they were computed."""

import logging

import redis

from tasks.ledger.ledger import Ledger
from tasks.ledger.predictions.settled import Settled
from telemetry.logs import of_version
from workers.microbatch.batcher import Batcher
from workers.microbatch.message import Message

log = logging.getLogger(__name__)
LONG_RUN = 0.5
"""Seconds from which on a microbatch is looked at, and between two looks."""


class CancelledRuns:
    """Looks at the records of predictions that are computed for long."""

    def __init__(self, ledger: Ledger, batcher: Batcher) -> None:
        self._ledger, self._batcher = ledger, batcher

    def look(self) -> None:
        """Kill each process that computes only what is cancelled; without Redis do nothing."""
        try:
            for process, messages in [*self._batcher.long_running(LONG_RUN)]:
                if settled := self._cancelled(messages):
                    version = settled[0].record.reference
                    # The outcomes stand already. This drops the messages, and comes before the
                    # kill: a message that is still reserved then would be delivered again.
                    self._ledger.settle(version, settled)
                    fields = {"pid": process.pid, **of_version(version)}
                    log.info("all that a process computed was cancelled; it ends", extra=fields)
                    self._batcher.abandon(process)
        except redis.RedisError as error:
            log.debug("cancelled predictions are computed on for now: %s", error)

    def _cancelled(self, messages: list[Message]) -> list[Settled]:
        """The outcome of each message; empty unless all are cancelled.

        Other outcomes are those of the process itself, which is about to say that it is done.
        """
        settled = []
        for message in messages:
            record = self._ledger.record(message.request.id)
            if record is None or record.state != "cancelled":
                return []
            settled.append(Settled(record, message.tag))
        return settled
