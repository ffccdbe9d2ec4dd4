"""The process that checks one registration: `python -m workers.registrations.checking REFERENCE`.

It loads the model, compares each door with the model's own answers, and registers the version. It
ends without a decision only if it is killed, or if the disk fails.
"""

import hashlib
import logging
import os
import shutil
import sys
from pathlib import Path

from msgspec.structs import replace

from registry.changes import Changes
from registry.manifest import Manifest
from registry.registrations.registrations import MODEL, Registrations
from registry.registrations.request import GateDecision, RegistrationRequest
from registry.store import Registry
from tasks.settings import Settings
from telemetry.errors import AnswersDiffer, DiskFull, OutOfMemory, PredictqError, VersionNotFound
from telemetry.logs import configure
from workers.drift.describing import baseline_of
from workers.environments.entering import enter_for
from workers.environments.environment import MadeEnvironment
from workers.environments.requirements import read_requirements
from workers.gate.comparing import gate_differences
from workers.gate.differences import differences_text
from workers.gate.warming import warmed
from workers.memory_limit import bound_growth, share_of_one
from workers.models.registration import Examined, examine
from workers.models.signature.sample import read_sample
from workers.registrations.registrar import CHECKING

log = logging.getLogger(__name__)


def check_registration(reference: str, settings: Settings) -> None:
    """Check a registration, register its version or refuse it, and keep the decision."""
    registry = Registry(settings.home)
    registrations = Registrations(registry)
    request = registrations.request(reference)
    if request is None:
        return
    if registrations.decision(request.model, request.version) is not None:
        registrations.delete(reference)  # a crash came between the decision and this
        return
    if (made := _registered(registry, registrations, request)) is not None:
        decision = _point(registry, request, made)
    else:
        decision = _decided(registry, registrations, request, settings)
    registrations.decide(request, decision)


def _registered(
    registry: Registry, registrations: Registrations, request: RegistrationRequest
) -> Manifest | None:
    """The version, if an attempt before this one has registered it."""
    try:
        found = registry.resolve(request.reference).manifest
    except PredictqError:
        return None
    content = (registrations.directory(request.reference) / MODEL).read_bytes()
    # A version that a command registered under this number is not the one to check.
    return found if found.sha256 == hashlib.sha256(content).hexdigest() else None


def _decided(
    registry: Registry,
    registrations: Registrations,
    request: RegistrationRequest,
    settings: Settings,
) -> GateDecision:
    directory = registrations.directory(request.reference)
    given = tuple(str(directory / name) for name in request.requirements)
    try:
        _check_space(directory / MODEL, settings)
        environment = enter_for(given, settings.home, log.info, CHECKING)
        bound_growth(share_of_one())
        os.chdir(directory)  # so that messages name the files and not their directories
        found = _examined(request, trust=request.trust and settings.trust_uploads)
        return _register(registry, registrations, request, found, environment)
    except MemoryError:
        return _refused(OutOfMemory("checking the model took too much memory"))
    except PredictqError as error:
        return _refused(error)
    except OSError as error:
        if not DiskFull.is_told_by(error):
            raise
        return _refused(
            DiskFull(f"the disk had no space while the model was checked: {error.strerror}")
        )


def _examined(request: RegistrationRequest, *, trust: bool) -> Examined:
    sample = None if request.sample is None else read_sample(Path(request.sample))
    found = examine(
        Path(MODEL),
        trust=trust,
        sample=sample,
        metadata=request.metadata,
        labels=request.classes,
    )
    description = replace(
        found.description,
        exact=request.exact,
        max_queue_seconds=request.max_queue_seconds,
        timeout_seconds=request.timeout_seconds,
    )
    return replace(found, description=description)


def _register(
    registry: Registry,
    registrations: Registrations,
    request: RegistrationRequest,
    found: Examined,
    environment: MadeEnvironment | None,
) -> GateDecision:
    own = found.inspected.own_answers
    with found.imported():
        if own:
            wrong, _ = gate_differences(found.model, found.description.signature, own)
            if wrong:
                raise AnswersDiffer(differences_text(request.reference, wrong))
        state, golden = warmed(found, waits_for_stack=False)
    described = environment and environment.described(
        read_requirements(request.requirements).packages
    )

    def refuse_withdrawn() -> None:
        if registrations.decision(request.model, request.version) is not None:
            raise VersionNotFound("the registration was withdrawn")

    manifest = registry.add(
        *(request.model, replace(found.description, environment=described), found.content),
        version=request.version,
        state=state,
        golden=golden,
        baseline=baseline_of(found.description.signature, own),
        lock=None if environment is None else environment.lock,
        cause=request.cause,
        check=refuse_withdrawn,
    )
    rows = len(own.frame) if own and request.sample else 0
    return replace(
        _point(registry, request, manifest), rows=rows, unknown=tuple(found.inspected.unknown)
    )


def _point(registry: Registry, request: RegistrationRequest, manifest: Manifest) -> GateDecision:
    """Point the alias of the request to the version, unless an attempt before has done so."""
    alias = request.alias
    if alias is not None:
        history = registry.history(request.model)
        if not any(c.alias == alias and c.after == manifest.version for c in history):
            Changes(registry).set_alias(request.model, alias, manifest.version, cause=request.cause)
    return GateDecision(status="ready")


def _check_space(model: Path, settings: Settings) -> None:
    """Raise `DiskFull` unless an artifact of the size of this file leaves the disk reserve free."""
    if shutil.disk_usage(settings.home).free - model.stat().st_size < settings.spare_bytes:
        spare = settings.spare_bytes // 2**20
        raise DiskFull(f"the model would leave less than {spare} MiB of the disk free")


def _refused(error: PredictqError) -> GateDecision:
    return GateDecision(status="refused", code=error.code, reason=error.message)


if __name__ == "__main__":
    configure("gate")
    check_registration(sys.argv[1], Settings.from_environment())
