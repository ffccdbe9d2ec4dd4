"""Sets and stops shadows, under the registry's write lock."""

import time
from functools import lru_cache

from msgspec.structs import replace

from registry.history import NO_CAUSE, Cause, version_change
from registry.manifest import Manifest, Signature
from registry.names import checked_name
from registry.splits import shares_of
from registry.storage.model_settings import Shadow
from registry.store import Registry
from registry.versions import check_ready, meaning_of_alias, version_of
from telemetry.errors import Invalid, NotFound, RegistryConflict


class ShadowSettings:
    """The shadows of a registry; each change is kept in the model's history."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def start(self, name: str, alias: str, shadow: Shadow, cause: Cause = NO_CAUSE) -> Shadow:
        """Copy a share of an alias's predictions to a version, instead of any shadow before.

        Raises `Invalid` for a rate that is no percentage, `VersionNotReady`, and `RegistryConflict`
        if the alias means this version, or one with other columns.
        """
        if not 0 < shadow.rate <= 100:
            raise Invalid(f"a rate is a percentage above 0, not {shadow.rate:g}")
        with self._registry.writing(name) as (directory, model):
            meaning = meaning_of_alias(name, model, checked_name(alias, "alias"))
            theirs = version_of(name, model, shadow.version)
            check_ready(name, shadow.version, model.readiness(shadow.version))
            for number in shares_of(meaning):
                _check_pair(model.versions[number], theirs)
            before = model.settings.shadows.get(alias)
            # Later than the one before even within a second: comparisons are told apart by it.
            since = max(int(time.time()), before.since + 1 if before else 0)
            begun = replace(shadow, since=since)
            shadows = model.settings.shadows | {alias: begun}
            directory.write_settings(name, replace(model.settings, shadows=shadows))
            told = replace(cause, why=f"of {alias}, {shadow.rate:g} %. {cause.why}".strip())
            change = version_change("shadowed", shadow.version, told)
            directory.record(name, model.aliases, [change])
        return begun

    def stop(self, name: str, alias: str, cause: Cause = NO_CAUSE) -> Shadow:
        """End the shadow of an alias; raises `NotFound` if there is none."""
        with self._registry.writing(name) as (directory, model):
            ended = model.settings.shadows.get(alias)
            if ended is None:
                raise NotFound(f"{name}@{alias} has no shadow")
            kept = {each: one for each, one in model.settings.shadows.items() if each != alias}
            directory.write_settings(name, replace(model.settings, shadows=kept))
            told = replace(cause, why=f"of {alias}. {cause.why}".strip())
            change = version_change("unshadowed", ended.version, told)
            directory.record(name, model.aliases, [change])
        return ended


def _check_pair(ours: Manifest, theirs: Manifest) -> None:
    if ours.version == theirs.version:
        raise RegistryConflict(f"{theirs.reference} is the version of this alias already")
    if not takes_the_same(ours.signature, theirs.signature):
        raise RegistryConflict(
            f"{theirs.reference} has other columns than {ours.reference}, so the same rows cannot "
            "be sent to both"
        )


@lru_cache(maxsize=256)
def takes_the_same(one: Signature, other: Signature) -> bool:
    """Whether rows of one signature can be sent to the other: the same columns in order."""
    return [c.name for c in one.columns] == [c.name for c in other.columns]
