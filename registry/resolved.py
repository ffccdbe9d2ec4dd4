"""The version that a reference means, or, of an alias that is split, each request by its key."""

import secrets

import msgspec

from registry.manifest import Manifest
from registry.splits import Shares, chosen_version, main_version
from registry.storage.directory import Model
from registry.versions import meaning_of_alias


class Resolved(msgspec.Struct, frozen=True):
    """The version that a reference means now."""

    manifest: Manifest
    """Of a split, the version with the greatest share."""
    alias: str | None
    split: "Split | None" = None

    def chosen(self, key: str | None) -> "Resolved":
        """The version for requests with this key; without a key, one drawn for this request."""
        return self if self.split is None else self.split.chosen(key)


class Split(msgspec.Struct, frozen=True):
    """The versions of an alias that is split."""

    name: str
    alias: str
    shares: Shares
    versions: dict[int, Resolved]

    def chosen(self, key: str | None) -> Resolved:
        """As `Resolved.chosen`."""
        given = key.encode(errors="surrogatepass") if key else secrets.token_bytes(16)
        return self.versions[chosen_version(self.name, self.alias, self.shares, given)]


def resolved_alias(name: str, model: Model, alias: str) -> Resolved:
    """What an alias means now; raises `AliasNotFound`."""
    meaning = meaning_of_alias(name, model, alias)
    manifest = model.versions[main_version(meaning)]
    if isinstance(meaning, int):
        return Resolved(manifest, alias)
    versions = {number: Resolved(model.versions[number], alias) for number in meaning}
    return Resolved(manifest, alias, Split(name, alias, meaning, versions))
