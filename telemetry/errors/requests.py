"""Errors of a request: what a caller sent, and what it asked for, is wrong."""

from telemetry.errors.base import PredictqError


class Malformed(PredictqError):
    """The body is not JSON."""

    code = "malformed"


class Invalid(PredictqError):
    """The request is well-formed but wrong."""

    code = "invalid"


class InvalidFeatures(Invalid):
    """The features do not match the model's signature."""

    code = "invalid_features"


class UnsupportedMethod(Invalid):
    """The model does not have this method."""

    code = "unsupported_method"


class IdempotencyConflict(Invalid):
    """The idempotency key was used with another payload."""

    code = "idempotency_conflict"


class TooLarge(PredictqError):
    """The request is larger than this server accepts."""

    code = "too_large"


class UnsupportedMediaType(PredictqError):
    """The body must be application/json."""

    code = "unsupported_media_type"


class HeadTooLarge(PredictqError):
    """The path and query, or a header field, is longer than this server accepts."""

    code = "head_too_large"


class UnknownMethod(PredictqError):
    """Unknown HTTP method; method names are upper case."""

    code = "unknown_method"


class Misdirected(PredictqError):
    """The Host header does not name this server; list its other names in PREDICTQ_HOSTS."""

    code = "misdirected"


class CrossSite(PredictqError):
    """A page of another site sent this request; to allow it, list the site in PREDICTQ_HOSTS."""

    code = "cross_site"


class Forbidden(PredictqError):
    """The caller may not do this."""

    code = "forbidden"


class NotFound(PredictqError):
    """Not found."""

    code = "not_found"


class ModelNotFound(NotFound):
    """There is no such model."""

    code = "model_not_found"


class VersionNotFound(NotFound):
    """The model has no such version."""

    code = "version_not_found"


class AliasNotFound(NotFound):
    """The model has no such alias."""

    code = "alias_not_found"


class DeploymentNotFound(NotFound):
    """The alias has no deployment."""

    code = "deployment_not_found"


class PredictionNotFound(NotFound):
    """There is no prediction with this id."""

    code = "prediction_not_found"


class JobNotFound(NotFound):
    """There is no such batch job."""

    code = "job_not_found"


class KeyNotFound(NotFound):
    """There is no such key."""

    code = "key_not_found"


class DeadLetterNotFound(NotFound):
    """There is no such dead letter."""

    code = "dead_letter_not_found"


class KeyConflict(PredictqError):
    """There is a key with this name already."""

    code = "key_conflict"


class ResultGone(PredictqError):
    """The outcome of this prediction has expired."""

    code = "result_gone"
