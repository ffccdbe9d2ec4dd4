"""One call for many requests; where it fails, halves of them, until the guilty fail alone."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from telemetry.errors import ModelError, OutOfMemory, PredictqError

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def bisect(
    asked: Sequence[Asked], call: Callable[[Sequence[Asked]], list[Answer]]
) -> list[Answer | PredictqError]:
    """The answer to each request, or the error that it gets.

    k guilty ones among n cost at most 2·k·⌈log2(n)⌉ + 1 calls, and never more than 2·n - 1. An
    error that no row is to blame for, such as an artifact that cannot be loaded, goes to all at
    once.
    """
    try:
        return [*call(asked)]
    except (ModelError, OutOfMemory) as error:
        if len(asked) == 1:
            return [error]
        middle = len(asked) // 2
        return bisect(asked[:middle], call) + bisect(asked[middle:], call)
    except PredictqError as error:
        return [error] * len(asked)
