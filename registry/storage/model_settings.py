"""Settings of a model, which hold for all of its versions."""

from typing import Annotated

import msgspec

MAX_CACHE_SECONDS = 7 * 24 * 3600
CacheSeconds = Annotated[int, msgspec.Meta(ge=1, le=MAX_CACHE_SECONDS)]
CacheSetting = bool | CacheSeconds
"""False: each prediction is computed. True: an answer is reused for a minute for each millisecond
that it cost, at least one minute and at most an hour. A number: for so many seconds."""


class Shadow(msgspec.Struct, frozen=True, kw_only=True):
    """A version that gets copies of some predictions of an alias; its answers are compared."""

    version: int
    rate: float
    """Percent of the predictions that are copied."""
    tolerance: float = 0.01
    """By how much numbers may differ and still agree, as a part of the greater one, but of 1 at
    least."""
    since: int = 0
    """Unix seconds; what was compared is kept apart by it."""


class ModelSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """The settings of one model."""

    cache: CacheSetting = False
    shadows: dict[str, Shadow] = {}
    """By alias."""


DEFAULT_SETTINGS = ModelSettings()
