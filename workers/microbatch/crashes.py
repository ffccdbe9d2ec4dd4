"""Decides about messages whose pool process died while it computed them."""

from collections.abc import Callable

from tasks.time_limits import MAX_RUN_SECONDS
from workers.microbatch.events import EventSender
from workers.microbatch.message import Message
from workers.protocol import Disposition, DispositionKind, Instruction


class Crashes:
    """Finds the message that is to blame, and keeps the others from paying for it."""

    def __init__(
        self,
        events: EventSender,
        *,
        retry_or_fail: Callable[[Message], DispositionKind | None],
        return_uncharged: Callable[[list[Message]], bool],
    ) -> None:
        """``retry_or_fail`` decides about a message that ran alone; None keeps it in this worker.

        ``return_uncharged`` returns messages that another one's time limit interrupted to the
        queue, without counting an attempt, to run alone; False if Redis could not be reached.
        """
        self._events = events
        self._retry_or_fail, self._return_uncharged = retry_or_fail, return_uncharged

    def handled(self, messages: list[Message], seconds: float) -> list[Message]:
        """The messages that run again in this worker, each alone; the others are done with.

        Their process died ``seconds`` after it was given them. Messages that shared a microbatch
        run again one by one, so that only the one to blame can end a process again. If some had
        exceeded their limit, the others go back to the queue without an attempt counted.
        """
        # By the worker's clock, so waiting for Redis counts too. A process that dies of something
        # else meanwhile passes for one that exceeded a limit (decision 0011).
        late = [message for message in messages if message.limit < seconds]
        if len(messages) == 1:
            return self._handled_alone(messages[0], timed_out=bool(late))
        # Limits are enforced by an alarm in the process, which ends it with all its messages.
        if late and self._are_returned([m for m in messages if m.limit >= seconds]):
            return late
        # A crash, or a limit while Redis is away: all of them run again here.
        return messages

    def _handled_alone(self, message: Message, *, timed_out: bool) -> list[Message]:
        if timed_out:
            # The next process only settles it. Its own limit may be too short even for that.
            message.instruction, message.limit = Instruction.TIME_OUT, MAX_RUN_SECONDS
        elif kind := self._retry_or_fail(message):
            self._events.finished(message.request, Disposition(kind, "worker_lost"), 0.0)
            return []
        return [message]

    def _are_returned(self, messages: list[Message]) -> bool:
        if are_returned := self._return_uncharged(messages):
            why = "another request of its microbatch exceeded its time limit"
            for message in messages:
                self._events.finished(message.request, Disposition("retrying", why), 0.0)
        return are_returned
