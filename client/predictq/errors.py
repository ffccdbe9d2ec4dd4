"""The errors that the client raises, all of them `PredictqError`."""

from dataclasses import dataclass


class PredictqError(Exception):
    """Base class of all errors of the client."""

    retryable: bool = False
    """Whether the same call may succeed later."""


class Unreachable(PredictqError):
    """The server cannot be reached, or the connection broke before the answer was complete."""

    retryable = True

    def __init__(self, message: str, sent: bool) -> None:
        super().__init__(message, sent)
        self.sent = sent
        """Whether the server may have received the request."""

    def __str__(self) -> str:
        return str(self.args[0])


class UnexpectedAnswer(PredictqError):
    """The answer is not one of predictq's."""


@dataclass(frozen=True)
class Detail:
    """One place in the input that is wrong."""

    loc: tuple[str | int, ...]
    """Path from the root of the body."""
    msg: str
    row: int | None = None
    """Zero-based row, if one row is at fault."""


class ProblemError(PredictqError):
    """The server refused the request and said why."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: tuple[Detail, ...] = (),
        retryable: bool = False,
        id: str | None = None,
    ) -> None:
        super().__init__(status, code, detail, errors, retryable, id)
        self.status = status
        self.code = code
        """Stable identifier of the error."""
        self.detail = detail
        self.errors = errors
        self.retryable = retryable
        self.id = id
        """Id of a prediction or batch job that may or may not have been accepted."""

    def __str__(self) -> str:
        return "; ".join(dict.fromkeys([self.detail, *(error.msg for error in self.errors)]))


class NotFound(ProblemError):
    """No such model, version, alias or id."""


class Gone(ProblemError):
    """The outcome is older than its time to live."""


class InvalidRequest(ProblemError):
    """The request is wrong; ``errors`` says where."""


def refused(what: str, row: int | None = None) -> InvalidRequest:
    """The error that the server would answer for such rows; ``row`` counts from 0."""
    return InvalidRequest(422, "invalid_features", what, (Detail(("features",), what, row),))


class Conflict(ProblemError):
    """The state does not allow the operation: of a batch job, an alias or a version."""


class TooLarge(ProblemError):
    """More rows or bytes than the server accepts in one request."""


class Unavailable(ProblemError):
    """The server cannot take the request now: the queue is full or something is down."""


class ModelRefused(PredictqError):
    """The gate refused a model; ``code`` and ``reason`` say why."""

    def __init__(self, model: str, version: int, code: str, reason: str) -> None:
        super().__init__(model, version, code, reason)
        self.model, self.version = model, version
        self.code, self.reason = code, reason

    def __str__(self) -> str:
        return f"{self.model}:{self.version} is refused: {self.reason}"


class _Ended(PredictqError):
    """The prediction ended without a result."""

    how = "has no answer"

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.id = id

    def __str__(self) -> str:
        return f"prediction {self.id} {self.how}"


class PredictionCancelled(_Ended):
    """The prediction was cancelled."""

    how = "was cancelled"


class PredictionExpired(_Ended):
    """The prediction waited in the queue for longer than ``max_queue_seconds``."""

    how = "expired in the queue"
    retryable = True


class PredictionFailed(PredictqError):
    """The prediction could not be computed; ``code`` and ``message`` say why."""

    def __init__(self, id: str, code: str, message: str, retryable: bool) -> None:
        super().__init__(id, code, message, retryable)
        self.id = id
        self.code = code
        self.message = message
        self.retryable = retryable

    def __str__(self) -> str:
        return self.message


STILL_OPEN = "prediction {0} has no outcome yet; to wait on: client.result({0!r}, wait=60)"


class WaitTimeout(PredictqError):
    """There is no outcome yet; look it up later by ``id``."""

    retryable = True

    def __init__(self, id: str, what: str = STILL_OPEN) -> None:
        super().__init__(id, what)
        self.id = id

    def __str__(self) -> str:
        return str(self.args[1]).format(self.id)
