"""One call for many requests; where it fails, halves of them, until the guilty fail alone."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from telemetry.errors import ModelError, OutOfMemory, PredictqError

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
GUILT = ModelError, OutOfMemory
"""Errors that some of what was asked may be to blame for."""


def bisect(
    asked: Sequence[Asked], call: Callable[[Sequence[Asked]], list[Answer]]
) -> list[Answer | PredictqError]:
    """The answer to each request, or the error that it gets.

    k guilty ones among n cost at most 2·k·⌈log2(n)⌉ + 1 calls, and never more than 2·n - 1. An
    error that no row is to blame for, such as an artifact that cannot be loaded, goes to all at
    once.
    """
    answers: list[Answer | PredictqError] = []
    for piece, answer in pieces(asked, call):
        answers += [answer] * len(piece) if isinstance(answer, PredictqError) else answer
    return answers


def pieces(
    asked: Any, call: Callable[[Any], Answer]
) -> Iterator[tuple[Any, Answer | PredictqError]]:
    """The same by the pieces that were asked for together, in order, with the answer to each.

    ``asked`` is whatever has a length and can be sliced.
    """
    try:
        answer: Answer | PredictqError = call(asked)
    except GUILT as error:
        if len(asked) > 1:
            middle = len(asked) // 2
            yield from pieces(asked[:middle], call)
            yield from pieces(asked[middle:], call)
            return
        answer = error
    except PredictqError as error:
        answer = error
    yield asked, answer
