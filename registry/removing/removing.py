"""Removes versions, but first all that refers to them, so that no crash leaves a reference to a
missing version.
"""

import msgspec
from msgspec.structs import replace

from registry.history import Cause, alias_changes, version_change
from registry.splits import pointing_to
from registry.storage.directory import Directory, Model


class Removed(msgspec.Struct, frozen=True):
    """Versions and aliases that a removal deleted."""

    versions: tuple[int, ...]
    aliases: tuple[str, ...]


def remove_versions(
    directory: Directory, name: str, model: Model, gone: list[int], cause: Cause
) -> Removed:
    """Remove versions with their aliases, deployments and shadows; holds the write lock.

    A rollout to one of them stops when it is looked at next.
    """
    dangling = pointing_to(model.aliases, gone)
    undeployed = [model.deployments[a] for a in dangling if a in model.deployments]
    directory.undeploy(name, model, undeployed, cause)
    _stop_shadows(directory, name, model, {*gone}, {*dangling}, cause)
    kept = {a: number for a, number in model.aliases.items() if a not in dangling}
    directory.write_aliases(name, kept)
    changes = alias_changes(model.aliases, kept, cause)
    directory.record(
        name, model.aliases, [*changes, *(version_change("removed", n, cause) for n in gone)]
    )
    directory.remove_versions(name, tuple(gone))
    return Removed(tuple(gone), tuple(dangling))


def _stop_shadows(
    directory: Directory,
    name: str,
    model: Model,
    gone: set[int],
    dangling: set[str],
    cause: Cause,
) -> None:
    shadows = model.settings.shadows
    ended = {a: each for a, each in shadows.items() if a in dangling or each.version in gone}
    if ended:
        kept = {alias: each for alias, each in shadows.items() if alias not in ended}
        directory.write_settings(name, replace(model.settings, shadows=kept))
        told = [
            version_change("unshadowed", each.version, replace(cause, why=f"of {alias}: removed"))
            for alias, each in ended.items()
        ]
        directory.record(name, model.aliases, told)
