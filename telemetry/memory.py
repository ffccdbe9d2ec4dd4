"""Memory: what is available, and what a process has."""

from collections.abc import Iterator
from pathlib import Path

import psutil


def available_memory(root: Path = Path("/")) -> int:
    """Most bytes of memory that this process may use, by cgroups v1 and v2 and the machine."""
    return min([int(psutil.virtual_memory().total), *_limits(root)])


def _limits(root: Path) -> Iterator[int]:
    """The memory limits of this process's cgroup and of its ancestors."""
    for controller, file, path in _cgroups(root):
        mount = root / "sys/fs/cgroup" / controller
        for group in (mount / path, *(mount / path).parents):
            if group.is_relative_to(mount) and (limit := _read(group / file)) is not None:
                yield limit


def _cgroups(root: Path) -> Iterator[tuple[str, str, str]]:
    """For each memory hierarchy: its directory, its limit file, and this process's cgroup."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not on Linux
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
    except (OSError, ValueError):  # the file does not exist, or says "max"
        return None


def resident_bytes(pid: int) -> int:
    """Resident memory of a process, in bytes; 0 if it has ended."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
