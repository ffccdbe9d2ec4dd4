"""What a receipt says of the environment that computed: the packages that its version asked for."""

from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement

from registry.manifest import Manifest

MOST_NAMED = 5
"""Packages that a receipt names."""


def packages_named(manifest: Manifest, but: str) -> str:
    """Names and versions of the packages that a version asked for, to be put after ``but``.

    A package that ``but`` names already is left out. Empty for the shared environment.
    """
    if manifest.environment is None:
        return ""
    names = [Requirement(each).name for each in manifest.environment.requirements]
    fresh = [name for name in names if name.lower() not in but.lower()]
    return "".join(f", {name} {_version(name)}" for name in fresh[:MOST_NAMED])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # of another platform, by its marker
        return "absent"
