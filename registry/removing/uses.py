"""Finds the references to versions, which are not removed while they are in use unless forced."""

from collections.abc import Collection

from registry.rollouts.rollout import Rollout
from registry.splits import meaning_of, pointing_to
from registry.storage.directory import Model


def uses_of(
    name: str, model: Model, rollouts: list[Rollout], versions: Collection[int]
) -> list[str]:
    """The aliases, shadows and rollouts that need one of these versions, each as a text."""
    pointing = pointing_to(model.aliases, versions)
    aliases = [f"{name}@{alias} is {meaning_of(name, model.aliases[alias])}" for alias in pointing]
    shadows = [
        f"{name}:{shadow.version} is the shadow of {name}@{alias}"
        for alias, shadow in sorted(model.settings.shadows.items())
        if shadow.version in versions
    ]
    live = [each for each in rollouts if each.is_live and each.version in versions]
    candidates = [
        f"rollout {each.id} moves {name}@{each.alias} to {name}:{each.version}" for each in live
    ]
    return [*aliases, *shadows, *candidates]
