"""Errors of the registry and of the artifacts in it."""

from telemetry.errors.base import PredictqError


class ModelUnloadable(PredictqError):
    """The model's artifact cannot be loaded."""

    code = "model_unloadable"
    infrastructure = retried = True


class ArtifactMissing(ModelUnloadable):
    """The model's artifact is missing."""

    code = "artifact_missing"
    retried = False


class ArtifactMismatch(ModelUnloadable):
    """The artifact's bytes are not those that were registered."""

    code = "artifact_mismatch"


class UntrustedArtifact(ModelUnloadable):
    """The artifact runs code when it is loaded, and was not trusted at registration."""

    code = "untrusted_artifact"
    retried = False


class RegistryUnavailable(PredictqError):
    """The worker cannot read the registry."""

    code = "registry_unavailable"
    infrastructure = retryable = retried = True


class RegistryConflict(PredictqError):
    """The registry already has another artifact under this name."""

    code = "registry_conflict"


class AliasMoved(RegistryConflict):
    """The alias points to another version than the request expects."""

    code = "alias_moved"


class AnswersDiffer(PredictqError):
    """The served answers differ from the model's own answers."""

    code = "answers_differ"
