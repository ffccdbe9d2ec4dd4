"""Resolves requirements to a lock: every package with its version and its hashes."""

import platform
import sys
import sysconfig
import tempfile
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

from telemetry.errors import Invalid, ModelUnloadable
from workers.environments.numpy_bound import numpy_bounds
from workers.environments.requirements import Requirements
from workers.environments.uv import run_uv

WORKER_REQUIREMENTS = (
    *(
        "celery>=5.7,<5.8",
        "kombu>=5.7,<5.8",
        "redis[hiredis]>=8.1",
        "msgspec>=0.22",
        "packaging>=24",
    ),
    *("structlog", "psutil", "click", "httpx2", "fsspec"),
    *("numpy", "pandas", "pyarrow", "scikit-learn", "joblib", "skops", "threadpoolctl"),
)
"""Packages that workers import, so every environment has them. Those on which models depend have no
bounds: a requirement of the version decides."""
_OPTIONAL = ("httpx2",)
"""Left out where the shared environment has none: images of workers have no client."""


def resolved(wanted: Requirements) -> bytes:
    """The lock of some requirements, for this Python and this platform.

    Packages that may have the version of the shared environment get it, so that they are often
    downloaded already. Raises `ModelUnloadable` if the requirements do not resolve.
    """
    with tempfile.TemporaryDirectory() as directory:
        source, target = Path(directory, "requirements.in"), Path(directory, "requirements.lock")
        source.write_text(
            "\n".join(
                [*wanted.options, *wanted.packages, *numpy_bounds(wanted), *_worker_requirements()]
            )
            + "\n"
        )
        # uv prefers the versions that its output already names.
        target.write_text("\n".join(pinned_here()) + "\n")
        arguments = ["pip", "compile", str(source), "--output-file", str(target)]
        form = ["--generate-hashes", "--no-header", "--no-annotate"]
        named = ", ".join(wanted.packages)
        run_uv([*arguments, *form, "--python", sys.executable], f"resolving {named}")
        packages = target.read_text()
    return "\n".join([_origin(), *wanted.options, packages]).encode()


def check_origin(lock: bytes) -> None:
    """Raise `ModelUnloadable` if a lock was resolved for another Python or platform."""
    origin = lock.decode().partition("\n")[0]
    if origin != _origin():
        raise ModelUnloadable(
            f"its environment was locked for {origin[2:]}, and this is {_origin()[2:]}"
        )


def check_complete(wanted: Requirements) -> None:
    """Raise `Invalid` if there is nothing to install."""
    if not wanted.packages:
        raise Invalid("--requirements names no package")


def _worker_requirements() -> list[str]:
    return [each for each in WORKER_REQUIREMENTS if each not in _OPTIONAL or _is_here(each)]


def _is_here(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def pinned_here() -> list[str]:
    """The packages of this environment, each with its version, such as ``numpy==2.4.6``."""
    found = {each.metadata["Name"]: each.version for each in distributions()}
    return sorted(f"{name}=={number}" for name, number in found.items() if "+" not in number)


def _origin() -> str:
    number = ".".join(platform.python_version_tuple()[:2])
    return f"# Python {number}, {sysconfig.get_platform()}"
