"""Changes of what is registered: aliases are moved and deleted, versions are removed."""

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from registry.history import (
    NO_CAUSE,
    Cause,
    alias_changes,
    aliases_after,
    earlier_meanings,
)
from registry.names import checked_name
from registry.removing.removing import Removed, remove_versions
from registry.removing.uses import uses_of
from registry.rollouts.moving import read_rollouts
from registry.splits import Meaning, checked_shares, meaning_of, shares_of
from registry.storage.directory import Directory, Model
from registry.storage.model_settings import CacheSetting
from registry.store import Registry
from registry.versions import check_ready, meaning_of_alias, version_of
from telemetry.errors import AliasMoved, Invalid, RegistryConflict

Expected = Meaning | None | UnsetType
"""What an alias must mean before a change, None for no such alias; unset for anything."""


class AliasState(msgspec.Struct, frozen=True, kw_only=True):
    """An alias after a request to change it."""

    model: str
    alias: str
    version: Meaning | None
    """The version that it means, or the percent of each version of a split; null if it was
    deleted."""
    previous: Meaning | None
    """What it meant before; null if there was no such alias."""
    changed: bool
    """Whether this request changed it."""


class Changes:
    """Changes a registry; each change holds its write lock, and is kept in the model's history."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def set_alias(
        self,
        name: str,
        alias: str,
        meaning: Meaning,
        *,
        expected: Expected = UNSET,
        cause: Cause = NO_CAUSE,
    ) -> AliasState:
        """Point an alias to a version, or split it.

        Raises `Invalid` for shares that make no split, `VersionNotReady` unless each version is
        ready, and `AliasMoved` if the alias means neither this nor ``expected``.
        """
        checked_name(alias, "alias")
        if not isinstance(meaning, int):
            checked_shares(meaning)
        with self._registry.writing(name) as (directory, model):
            for version in shares_of(meaning):
                version_of(name, model, version)
                check_ready(name, version, model.readiness(version))
            before = model.aliases.get(alias)
            # An alias that means it already: an earlier attempt of this request moved it.
            if before != meaning:
                _check_expected(name, alias, before, expected)
                _write_aliases(directory, name, model, model.aliases | {alias: meaning}, cause)
            else:
                _tell_move(directory, name, alias, meaning, cause)
        return _state(name, alias, before, meaning)

    def remove_alias(
        self, name: str, alias: str, *, expected: Expected = UNSET, cause: Cause = NO_CAUSE
    ) -> AliasState:
        """Delete an alias; raises `AliasNotFound`, and `AliasMoved` if it is not as expected."""
        with self._registry.writing(name) as (directory, model):
            before = meaning_of_alias(name, model, alias)
            _check_expected(name, alias, before, expected)
            if alias in model.deployments:
                raise RegistryConflict(f"{name}@{alias} has a deployment: delete that first")
            kept = {a: number for a, number in model.aliases.items() if a != alias}
            _write_aliases(directory, name, model, kept, cause)
        return _state(name, alias, before, None)

    def rollback(
        self, name: str, alias: str, *, expected: Expected = UNSET, cause: Cause = NO_CAUSE
    ) -> AliasState:
        """Point an alias to the version, or the split, that it meant before, as its history says.

        Meanings with a version that was removed, or is not ready, are skipped. Raises
        `AliasMoved`, and `RegistryConflict` if there is no earlier version.
        """
        checked_name(alias, "alias")
        with self._registry.writing(name) as (directory, model):
            before = model.aliases.get(alias)
            _check_expected(name, alias, before, expected)
            target = _earlier(directory, name, model, alias)
            aliases = model.aliases | {alias: target}
            directory.write_aliases(name, aliases)
            directory.record(
                name, model.aliases, alias_changes(model.aliases, aliases, cause, "rollback")
            )
        return _state(name, alias, before, target)

    def set_cache(self, name: str, setting: CacheSetting) -> None:
        """Set whether, and for how long, a model's answers are reused; raises `ModelNotFound`."""
        with self._registry.writing(name) as (directory, model):
            directory.write_settings(name, replace(model.settings, cache=setting))

    def remove(
        self,
        name: str,
        version: int | None = None,
        *,
        force: bool = True,
        cause: Cause = NO_CAUSE,
    ) -> Removed:
        """Remove one version, or all of them, with the aliases and shadows that need them.

        Raises `RegistryConflict` without ``force`` if an alias, a shadow or a rollout needs them.
        """
        with self._registry.writing(name) as (directory, model):
            gone = _chosen(name, model, version)
            if not force and (found := uses_of(name, model, read_rollouts(directory, name), gone)):
                raise RegistryConflict(
                    f"what would be removed is in use: {', '.join(found)}; end that, or force the "
                    "removal"
                )
            return remove_versions(directory, name, model, gone, cause)

    def uses(self, name: str, version: int | None = None) -> list[str]:
        """The aliases, shadows and rollouts that need a version, as texts; `remove` deletes them,
        too.
        """
        directory = self._registry.directory
        model = directory.read(name)
        chosen = _chosen(name, model, version)
        return uses_of(name, model, read_rollouts(directory, name), chosen)

    def keep_latest(self, name: str, count: int, cause: Cause = NO_CAUSE) -> Removed:
        """Remove all versions but the ``count`` newest and those that are in use."""
        if count < 1:
            raise Invalid(f"at least one version must be kept, not {count}")
        with self._registry.writing(name) as (directory, model):
            rollouts = read_rollouts(directory, name)
            old = list(model.versions)[:-count]
            gone = [number for number in old if not uses_of(name, model, rollouts, [number])]
            return remove_versions(directory, name, model, gone, cause)


def _chosen(name: str, model: Model, version: int | None) -> list[int]:
    chosen = [*model.versions] if version is None else [version]
    return [version_of(name, model, number).version for number in chosen]


def _state(name: str, alias: str, before: Meaning | None, after: Meaning | None) -> AliasState:
    return AliasState(
        model=name, alias=alias, version=after, previous=before, changed=before != after
    )


def _check_expected(name: str, alias: str, before: Meaning | None, expected: Expected) -> None:
    if expected is not UNSET and before != expected:
        means = (
            "there is no such alias" if before is None else f"it means {meaning_of(name, before)}"
        )
        wanted = "no alias" if expected is None else meaning_of(name, expected)
        raise AliasMoved(f"{name}@{alias} is not as expected: it is {means}, not {wanted}")


def _write_aliases(
    directory: Directory, name: str, model: Model, aliases: dict[str, Meaning], cause: Cause
) -> None:
    directory.write_aliases(name, aliases)
    directory.record(name, model.aliases, alias_changes(model.aliases, aliases, cause))


def _tell_move(directory: Directory, name: str, alias: str, meaning: Meaning, cause: Cause) -> None:
    """Add to the history that an alias was moved, if that attempt was killed before it did so."""
    told = aliases_after(directory.history(name))
    directory.record(name, told, alias_changes(told, told | {alias: meaning}, cause))


def _earlier(directory: Directory, name: str, model: Model, alias: str) -> Meaning:
    present = model.aliases.get(alias)
    for meaning in earlier_meanings(directory.history(name), alias):
        if meaning != present and all(model.is_ready(number) for number in shares_of(meaning)):
            return meaning
    raise RegistryConflict(f"{name}@{alias} has no earlier version to return to")
