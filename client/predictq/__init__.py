"""The Python client of predictq: ``from predictq import Client``."""

from predictq.async_client import AsyncClient
from predictq.bulk.errors import BulkError
from predictq.bulk.results import Completed
from predictq.client import Client
from predictq.errors import (
    Conflict,
    Detail,
    Gone,
    InvalidRequest,
    ModelRefused,
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
from predictq.jobs.async_jobs import AsyncJobs
from predictq.jobs.job import Counts, Job, JobError, RowError
from predictq.jobs.jobs import Jobs
from predictq.models.async_deployments import AsyncDeployments
from predictq.models.async_models import AsyncModels
from predictq.models.deployments import Deployments
from predictq.models.models import Models
from predictq.types import AsyncPending, Pending, Prediction, Receipt, Urls

__all__ = [
    "AsyncClient",
    "AsyncDeployments",
    "AsyncJobs",
    "AsyncModels",
    "AsyncPending",
    "BulkError",
    "Client",
    "Completed",
    "Conflict",
    "Counts",
    "Deployments",
    "Detail",
    "Gone",
    "InvalidRequest",
    "Job",
    "JobError",
    "Jobs",
    "ModelRefused",
    "Models",
    "NotFound",
    "Pending",
    "Prediction",
    "PredictionCancelled",
    "PredictionExpired",
    "PredictionFailed",
    "PredictqError",
    "ProblemError",
    "Receipt",
    "RowError",
    "TooLarge",
    "Unavailable",
    "UnexpectedAnswer",
    "Unreachable",
    "Urls",
    "WaitTimeout",
]
