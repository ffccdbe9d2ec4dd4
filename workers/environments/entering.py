"""Continues a process in the environment of a version."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from registry.manifest import Manifest
from registry.store import Registry
from workers.environments.environment import MadeEnvironment, directory_of, version_environment
from workers.environments.lease import lease
from workers.environments.lock import check_complete, resolved
from workers.environments.making import provided
from workers.environments.requirements import Requirements, are_met_here, read_requirements

Tell = Callable[[str], object]
COMMAND = "cli.main"
"""The module of the `predictq` command."""


def enter_for(
    given: tuple[str, ...], home: Path, tell: Tell, module: str = COMMAND
) -> MadeEnvironment | None:
    """Continue in the environment that meets some requirements; None if it is the shared one.

    ``module``: what runs there, with the arguments of this process. Raises `Invalid` if they cannot
    be read, and `ModelUnloadable` if they cannot be met.
    """
    if not given or (entered := version_environment()):
        return entered if given else None
    wanted = read_requirements(given)
    check_complete(wanted)
    if not are_met_here(wanted):
        _enter(home, _resolved(wanted, tell), tell, module)
    tell("the shared environment meets the requirements")
    return None


def enter_environment_of(manifest: Manifest, registry: Registry, home: Path) -> None:
    """Continue in the environment of a version, made if it is absent; raises as `provided`."""
    if manifest.environment is not None and version_environment() is None:
        _enter(home, registry.lock(manifest), lambda _: None)


def _resolved(wanted: Requirements, tell: Tell) -> bytes:
    tell(f"resolving {', '.join(wanted.packages)}")
    return resolved(wanted)


def _enter(home: Path, lock: bytes, tell: Tell, module: str = COMMAND) -> NoReturn:
    tell("making its environment, or taking the one that was made before")
    # Inherited: no manifest names the environment until the command has tried the model in it.
    os.set_inheritable(lease(directory_of(home, lock)), True)
    python = str(provided(home, lock).python)
    sys.stdout.flush()
    # -P: modules of the current directory must not hide those of the environment.
    os.execv(python, [python, "-P", "-m", module, *sys.argv[1:]])  # noqa: S606 - no shell
