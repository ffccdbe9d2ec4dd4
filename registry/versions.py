"""Finds the versions of a model and what its aliases mean, and checks additions."""

import hashlib
import secrets
from collections.abc import Collection

import msgspec
from msgspec.structs import replace

from registry.deployments.deployment import Deployment
from registry.manifest import Description, Manifest
from registry.names import MAX_VERSION, checked_name
from registry.readiness import Readiness, now
from registry.splits import Meaning, Shares, chosen_version, main_version, shares_of
from registry.storage.directory import Directory, Model
from registry.storage.model_settings import CacheSetting, Shadow
from telemetry.errors import (
    AliasNotFound,
    ArtifactMismatch,
    Invalid,
    RegistryConflict,
    VersionNotFound,
    VersionNotReady,
)

_SHOWN = 20


class Resolved(msgspec.Struct, frozen=True):
    """The version that a reference means now."""

    manifest: Manifest
    """Manifest of the version; of a split, that of the version with the greatest share."""
    alias: str | None
    split: "Split | None" = None
    deployment: Deployment | None = None
    """Computes requests by this alias; None for the workers that all versions share."""
    share: int | None = None
    """The percent of the requests that it gets, if it was chosen among those of a split."""
    cache: CacheSetting = False
    """Of its model."""
    varies: bool = False
    """Whether it may answer the same rows in another way each time."""
    shadows: dict[str, Shadow] = {}
    """Of its model, by alias."""

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


def version_of(name: str, model: Model, number: int) -> Manifest:
    """The version of this number; raises `VersionNotFound`."""
    manifest = model.versions.get(number)
    if manifest is None:
        known = listing("versions", [str(known) for known in model.versions])
        raise VersionNotFound(f"model {name!r} has no version {number}; {known}")
    return manifest


def meaning_of_alias(name: str, model: Model, alias: str) -> Meaning:
    """What an alias means, whose versions all exist; raises `AliasNotFound`."""
    meaning = model.aliases.get(alias)
    if meaning is None or not model.versions.keys() >= shares_of(meaning).keys():
        known = listing("aliases", sorted(model.aliases))
        raise AliasNotFound(f"model {name!r} has no alias {alias!r}; {known}")
    return meaning


def resolved_alias(name: str, model: Model, alias: str) -> Resolved:
    """What an alias means now; raises `AliasNotFound`."""
    meaning = meaning_of_alias(name, model, alias)
    main, own = main_version(meaning), model.deployments.get(alias)
    if isinstance(meaning, int):
        return replace(resolved_version(model, main, alias), deployment=own)
    versions = {
        number: replace(resolved_version(model, number, alias), share=share, deployment=own)
        for number, share in meaning.items()
    }
    return replace(versions[main], share=None, split=Split(name, alias, meaning, versions))


def resolved_version(model: Model, number: int, alias: str | None) -> Resolved:
    """An existing version, as ``alias`` or another reference to it means it."""
    return Resolved(
        model.versions[number],
        alias,
        cache=model.settings.cache,
        shadows=model.settings.shadows,
        varies=model.readiness(number).varies,
    )


def latest_version(name: str, model: Model) -> int:
    """The number of the latest version that is ready; raises `VersionNotReady` if none is."""
    # If none is ready, the newest one's state says most.
    number = max(model.versions) if model.latest is None else model.latest
    check_ready(name, number, model.readiness(number))
    return number


def check_ready(name: str, number: int, state: Readiness) -> None:
    """Raise `VersionNotReady` unless this version's state is ready."""
    if state.status != "ready":
        what = f"{name}:{number}"
        because = f": {state.reason}" if state.reason else ""
        raise VersionNotReady(
            f"{what} is {state.status}{because}; `predictq models check {what}` tries it again"
        )


def listing(what: str, existing: Collection[str]) -> str:
    """The existing names in words, at most the last `_SHOWN` of them."""
    if not existing:
        return f"it has no {what}" if what == "aliases" else f"there are no {what}"
    # The last ones: a list of versions ends with the newest, which are asked for most.
    shown = list(existing)[-_SHOWN:]
    return f"{what}: " + ("…, " if len(existing) > _SHOWN else "") + ", ".join(shown)


def check_addition(
    name: str, description: Description, artifact: bytes, version: int | None, alias: str | None
) -> None:
    """Raise `Invalid` or `ArtifactMismatch` if these cannot become a version."""
    checked_name(name)
    if alias is not None:
        checked_name(alias, "alias")
    if version is not None and not 1 <= version <= MAX_VERSION:
        raise Invalid(f"a version is a number from 1 to {MAX_VERSION}, not {version}")
    if hashlib.sha256(artifact).hexdigest() != description.sha256:
        raise ArtifactMismatch("the bytes of the artifact do not match its description")


def new_manifest(
    name: str, number: int, description: Description, created_at: str | None = None
) -> Manifest:
    """The manifest of a description, under a name and a number."""
    fields = {field: getattr(description, field) for field in Description.__struct_fields__}
    return Manifest(name=name, version=number, created_at=created_at or now(), **fields)


def next_version(directory: Directory, name: str, model: Model) -> int:
    """The number of the next version; a number is never used twice, as receipts name it."""
    return max(directory.highest(name), *model.versions, 0) + 1


def check_existing(
    name: str, existing: Manifest | None, description: Description
) -> Manifest | None:
    """Return ``existing``; raises `RegistryConflict` if its description is another."""
    if existing is None:
        return None
    again = new_manifest(name, existing.version, description, existing.created_at)
    # Compared as JSON, since a tuple among the classes is stored as a list.
    if msgspec.json.encode(again) != msgspec.json.encode(existing):
        raise RegistryConflict(
            f"{name}:{existing.version} exists and differs; versions are immutable: add another one"
        )
    return existing
