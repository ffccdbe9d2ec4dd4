"""Adds packages to the shared environment: what `up --with` names."""

import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

from workers.environments.lock import pinned_here
from workers.environments.requirements import are_met_here, read_requirements
from workers.environments.uv import run_uv


def add_to_shared(given: Iterable[str], tell: Callable[[str], object]) -> None:
    """Install what the shared environment lacks.

    ``given``: extras of predictq such as ``xgboost``, requirements, or files of them. What is
    installed keeps its version. Raises `Invalid` for anything else, and `ModelUnloadable` if the
    packages cannot be installed beside those that are there.
    """
    wanted = read_requirements(name for each in given for name in _of_extra(each) or [each])
    if are_met_here(wanted):
        return
    tell(f"installing {', '.join(wanted.packages)}")
    with tempfile.TemporaryDirectory() as directory:
        source, bound = Path(directory, "requirements.in"), Path(directory, "constraints.txt")
        source.write_text("\n".join([*wanted.options, *wanted.packages]) + "\n")
        bound.write_text("\n".join(pinned_here()) + "\n")
        files = ["-r", str(source), "--constraint", str(bound)]
        run_uv(["pip", "install", "--python", sys.executable, *files], "installing it")


def _of_extra(name: str) -> list[str]:
    """The requirements of an extra of predictq; empty if there is none of this name."""
    try:
        every = [Requirement(line) for line in requires("predictq") or ()]
    except PackageNotFoundError:  # it runs from its sources, as in images
        return []
    return [_bare(each) for each in every if _belongs_to(each, name)]


def _belongs_to(wanted: Requirement, extra: str) -> bool:
    marker = wanted.marker
    return bool(marker and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""}))


def _bare(wanted: Requirement) -> str:
    wanted.marker = None
    return str(wanted)
