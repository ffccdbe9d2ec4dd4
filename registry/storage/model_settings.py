"""Settings of a model, which hold for all of its versions."""

from typing import Annotated

import msgspec

MAX_CACHE_SECONDS = 7 * 24 * 3600
CacheSeconds = Annotated[int, msgspec.Meta(ge=1, le=MAX_CACHE_SECONDS)]
CacheSetting = bool | CacheSeconds
"""False: each prediction is computed. True: an answer is reused for a minute for each millisecond
that it cost, at least one minute and at most an hour. A number: for so many seconds."""


class ModelSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """The settings of one model."""

    cache: CacheSetting = False


DEFAULT_SETTINGS = ModelSettings()
