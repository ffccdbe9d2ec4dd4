"""Bounds the large answers that wait for their clients to take them, by their bytes."""

from contextlib import ExitStack

from flask import Response, request

from api.asgi.parse_budget import ParseBudget
from api.asgi.protocol import when_sent

DOING = "answers are being sent"


class Sending:
    """Answers that are held whole until they are sent; threads are free meanwhile."""

    def __init__(self, largest: int) -> None:
        """``largest`` is the size of the greatest outcome, for which there is always room."""
        # Who reads slowly holds room for long, so waiting for it would only hold threads.
        self._budget = ParseBudget(largest, DOING, patient=False)

    def held(self, response: Response) -> Response:
        """The response, which has room until it is sent; raises `Busy` where there is none."""
        with ExitStack() as stack:
            stack.enter_context(self._budget.holding(len(response.get_data())))
            when_sent(request.environ, response, stack.pop_all().close)
        return response
