"""Bounds the bytes of large answers that are held in memory while they are sent."""

from contextlib import AbstractContextManager, ExitStack

from flask import Response, request

from api.asgi.byte_budget import ByteBudget
from api.asgi.protocol import call_when_sent

DOING = "answers are being sent"


class SendBudget:
    """A budget for answers that are held in memory until sent; their threads are free meanwhile."""

    def __init__(self, largest: int) -> None:
        """``largest``: the greatest outcome in bytes; the budget is never smaller than that."""
        # Not patient: a slow reader holds the budget for long, so waiting would only hold threads.
        self._budget = ByteBudget(largest, DOING, patient=False)

    def holding(self, size: int) -> AbstractContextManager[None]:
        """Hold ``size`` bytes for the context; raises `Busy` if the budget is exhausted."""
        return self._budget.holding(size)

    def held(self, response: Response) -> Response:
        """Hold budget for a response until it is sent; raises `Busy` if it is exhausted."""
        with ExitStack() as stack:
            stack.enter_context(self.holding(len(response.get_data())))
            call_when_sent(request.environ, response, stack.pop_all().close)
        return response
