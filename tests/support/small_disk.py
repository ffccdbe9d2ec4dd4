"""A real file system of limited size, mounted for one command and its children."""

import subprocess
from pathlib import Path

import pytest

MOUNT = 'mount -t tmpfs -o size="$0" none "$1" && shift && exec "$@"'


def on_small_disk(directory: Path, size: int) -> list[str]:
    """The prefix of a command that sees ``directory`` as a disk of ``size`` bytes.

    Skips the test where mounting is not permitted.
    """
    prefix = ["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNT, str(size), str(directory)]
    try:
        subprocess.run([*prefix, "true"], capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk can be mounted here: {getattr(error, 'stderr', error)}")
    return prefix


def fill(path: Path) -> None:
    """Fill the disk to the last byte."""
    with path.open("xb", buffering=0) as file:
        size = 2**20
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
