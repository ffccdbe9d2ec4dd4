"""A real disk of few bytes, for one command and its children alone."""

import subprocess
from pathlib import Path

import pytest

MOUNT = 'mount -t tmpfs -o size="$0" none "$1" && shift && exec "$@"'


def on_small_disk(directory: Path, size: int) -> list[str]:
    """What stands before a command to which ``directory`` is a disk of so many bytes.

    Skips the test where nobody may mount one.
    """
    prefix = ["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNT, str(size), str(directory)]
    try:
        subprocess.run([*prefix, "true"], capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk can be mounted here: {getattr(error, 'stderr', error)}")
    return prefix


def fill(path: Path) -> None:
    """Take all the room that a disk has, to the last byte."""
    with path.open("xb", buffering=0) as file:
        size = 2**20
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
