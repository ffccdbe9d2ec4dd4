"""The part of a model's page about its drift, shadows and rollouts."""

import msgspec

from api.drift.looking import DriftLook
from api.drift.states import DriftState
from api.shadows.looking import ShadowLook, ShadowState
from registry.rollouts.rollout import Rollout
from registry.rollouts.rollouts import Rollouts
from registry.store import Registry

SHOWN_ROLLOUTS = 5


class ModelLife(msgspec.Struct, frozen=True, kw_only=True):
    """The drift of each version, the shadow of each alias, and the last rollouts."""

    drift: dict[int, DriftState]
    shadows: list[ShadowState]
    rollouts: list[Rollout]


class LifeLook:
    """Looks at the life of models."""

    def __init__(self, registry: Registry, drift: DriftLook, shadows: ShadowLook) -> None:
        self._registry, self._rollouts = registry, Rollouts(registry)
        self._drift, self._shadows = drift, shadows

    def look(self, name: str) -> ModelLife:
        """The life of a model; raises `ModelNotFound` and `redis.RedisError`."""
        versions = self._registry.versions(name)
        aliases = self._registry.settings(name).shadows
        return ModelLife(
            drift={each.version: self._drift.look(each) for each in versions},
            shadows=[self._shadows.show(name, alias) for alias in sorted(aliases)],
            rollouts=self._rollouts.all(name)[:SHOWN_ROLLOUTS],
        )
