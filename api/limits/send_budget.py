"""Bounds the bytes of large answers that are held in memory while they are sent."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from flask import Response, request

from api.limits.byte_budget import ByteBudget

ON_SENT = "predictq.held"
"""Key in an ASGI scope: an `ExitStack` that is closed once the whole answer is sent."""
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

    def budgeted(self, response: Response) -> Response:
        """Hold budget for a response until it is sent; raises `Busy` if it is exhausted."""
        with ExitStack() as stack:
            stack.enter_context(self.holding(len(response.get_data())))
            call_when_sent(request.environ, response, stack.pop_all().close)
        return response


def call_when_sent(environ: dict[str, Any], response: Response, call: Callable[[], None]) -> None:
    """Call a function once the whole response is sent, which is after its thread is free."""
    scope = environ.get("asgi.scope")
    after: Callable[[Callable[[], None]], object] = (
        scope[ON_SENT].callback if scope else response.call_on_close
    )
    after(call)
