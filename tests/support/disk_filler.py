"""A large file that takes the free space of a disk."""

import os
import shutil
from pathlib import Path
from typing import Self

import pytest

from tests.support.stack import until

SIZE = 2**31
"""Others on the disk write, too: half of it is for what they write or remove meanwhile."""


class DiskFiller:
    """A file that exists inside the context and leaves less than ``bound`` bytes of the disk free.

    Outside of the context, more than ``bound`` bytes are free.
    """

    def __init__(self, directory: Path) -> None:
        """Skips the test if the disk has too little free space."""
        self._path = directory / "filler"
        if (free := self._free()) < SIZE + 2**30:
            pytest.skip(f"the disk of {directory} has only {free} bytes free")
        self.bound = free - SIZE // 2

    def __enter__(self) -> Self:
        with self._path.open("xb") as file:
            os.posix_fallocate(file.fileno(), 0, SIZE)
        return self

    def __exit__(self, *_: object) -> None:
        self._path.unlink()
        until(lambda: self._free() > self.bound, "the end of the filler")

    def _free(self) -> int:
        return shutil.disk_usage(self._path.parent).free
