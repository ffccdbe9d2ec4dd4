"""How much memory there is: what the machine has, or its cgroups give, where that is less."""

from collections.abc import Iterator
from pathlib import Path

import psutil


def given(root: Path = Path("/")) -> int:
    """Bytes of memory that processes here may use at most; cgroups of both versions count."""
    return min([int(psutil.virtual_memory().total), *_limits(root)])


def _limits(root: Path) -> Iterator[int]:
    """Those of our cgroup and of all above it."""
    for controller, file, path in _cgroups(root):
        own = root / "sys/fs/cgroup" / controller
        for group in (own / path, *(own / path).parents):
            if group.is_relative_to(own) and (limit := _read(group / file)) is not None:
                yield limit


def _cgroups(root: Path) -> Iterator[tuple[str, str, str]]:
    """The folder of each hierarchy that bounds memory, the file that says how, and our place."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # no Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield "", "memory.max", path.lstrip("/")
        elif "memory" in controllers.split(","):
            yield "memory", "memory.limit_in_bytes", path.lstrip("/")


def _read(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # it is not there, or says "max"
        return None
