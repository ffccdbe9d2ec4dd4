"""The Python client of predictq: ``from predictq import Client``."""

from predictq.client import Client
from predictq.errors import (
    Detail,
    Gone,
    InvalidRequest,
    NotFound,
    PredictionCancelled,
    PredictionExpired,
    PredictionFailed,
    PredictqError,
    ProblemError,
    TooLarge,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
    WaitTimeout,
)
from predictq.types import Pending, Prediction, Receipt, Urls

__all__ = [
    "Client",
    "Detail",
    "Gone",
    "InvalidRequest",
    "NotFound",
    "Pending",
    "Prediction",
    "PredictionCancelled",
    "PredictionExpired",
    "PredictionFailed",
    "PredictqError",
    "ProblemError",
    "Receipt",
    "TooLarge",
    "Unavailable",
    "UnexpectedAnswer",
    "Unreachable",
    "Urls",
    "WaitTimeout",
]
