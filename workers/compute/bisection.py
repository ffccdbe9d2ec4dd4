"""Bisection: one call for many requests; if it fails, calls for halves, until single requests
fail.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from telemetry.errors import ModelError, OutOfMemory, PredictqError

RequestType = TypeVar("RequestType")
AnswerType = TypeVar("AnswerType")
BISECTED_ERRORS = ModelError, OutOfMemory
"""Errors that single requests may have caused, so that bisection can isolate them."""


def bisect(
    asked: Sequence[RequestType], call: Callable[[Sequence[RequestType]], list[AnswerType]]
) -> list[AnswerType | PredictqError]:
    """The answer or the error of each request, in order.

    k guilty requests among n cost at most 2·k·⌈log2(n)⌉ + 1 calls, and never more than 2·n - 1. Any
    other `PredictqError`, such as an artifact that cannot be loaded, goes to all requests at once.
    """
    answers: list[AnswerType | PredictqError] = []
    for piece, answer in bisected(asked, call):
        answers += [answer] * len(piece) if isinstance(answer, PredictqError) else answer
    return answers


def bisected(
    asked: Any, call: Callable[[Any], AnswerType]
) -> Iterator[tuple[Any, AnswerType | PredictqError]]:
    """Like `bisect`, but yields each piece that one call answered or failed, in order.

    ``asked`` is anything that has a length and can be sliced.
    """
    try:
        answer: AnswerType | PredictqError = call(asked)
    except BISECTED_ERRORS as error:
        if len(asked) > 1:
            # The error of the whole says nothing about its halves, which may both succeed: a lack
            # of memory may have come from their number.
            middle = len(asked) // 2
            yield from bisected(asked[:middle], call)
            yield from bisected(asked[middle:], call)
            return
        answer = error
    except PredictqError as error:
        answer = error
    yield asked, answer
