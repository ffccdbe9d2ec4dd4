"""The environment in a receipt: the packages that the version asked for."""

from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement

from registry.manifest import Manifest

MAX_NAMED = 5
"""Packages that a receipt names."""


def packages_named(manifest: Manifest, runtime: str) -> str:
    """Names and versions of the packages that a version asked for, to be put after ``runtime``.

    ``runtime``: the library that computes, such as "scikit-learn 1.5.2"; it is not named again.
    Empty for the shared environment.
    """
    if manifest.environment is None:
        return ""
    names = [Requirement(each).name for each in manifest.environment.requirements]
    fresh = [name for name in names if name.lower() not in runtime.lower()]
    return "".join(f", {name} {_version(name)}" for name in fresh[:MAX_NAMED])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # of another platform, by its marker
        return "absent"
