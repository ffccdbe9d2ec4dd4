"""Several files as one artifact: a zip archive whose bytes depend on the files alone."""

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from telemetry.errors import ModelUnloadable

MOST_FILES = 10_000
"""Files that an archive may have."""
MOST_BYTES = 2**31
"""Bytes that its files may have together."""
_CACHES = ("__pycache__", ".git")
_EPOCH = (1980, 1, 1, 0, 0, 0)

ArchiveFiles = dict[str, bytes]
"""Path, relative and with slashes → content."""


def packed(files: ArchiveFiles) -> bytes:
    """The archive of these files: sorted, uncompressed, without times or owners."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o600) << 16
            archive.writestr(entry, files[name])
    return target.getvalue()


def names_in(content: bytes) -> list[str]:
    """Names in an archive; empty if the content is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return []


def unpacked(content: bytes) -> ArchiveFiles:
    """The files of an archive.

    Raises `ModelUnloadable` if a name leads out of it or occurs twice, if an entry is no plain
    file, or if the files are too many or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check_sizes([(entry.filename, entry.file_size) for entry in entries])
            files = {_checked(entry): archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError) as error:
        raise ModelUnloadable(f"its archive is broken: {error}") from error
    if len(files) < len(entries):
        raise ModelUnloadable("its archive has two files of one name")
    return files


def files_below(root: Path, what: str) -> ArchiveFiles:
    """The plain files of a directory, without bytecode and `.git`.

    Raises `ModelUnloadable` for symbolic links and other special files, for directories that cannot
    be read, and if the files are too many or too large.
    """
    paths = [*_walked(root, what)]
    _check_sizes([(str(path), path.stat().st_size) for path in paths])
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def _walked(root: Path, what: str) -> Iterator[Path]:
    for directory, directories, files in os.walk(root, onerror=_refuse):
        directories[:] = sorted(each for each in directories if each not in _CACHES)
        for name in (*directories, *sorted(files)):
            path = Path(directory, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise ModelUnloadable(f"{what} has a symbolic link, {path}; copy the file there")
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise ModelUnloadable(f"{what} has {path}, which is not a plain file")
            if stat.S_ISREG(mode) and path.suffix != ".pyc":
                yield path


def _refuse(error: OSError) -> None:
    raise ModelUnloadable(f"{error.filename} cannot be read: {error.strerror}") from error


def _check_sizes(sizes: list[tuple[str, int]]) -> None:
    if len(sizes) > MOST_FILES:
        raise ModelUnloadable(f"it has {len(sizes):,} files; at most {MOST_FILES:,} are kept")
    if sum(size for _, size in sizes) > MOST_BYTES:
        largest = max(sizes, key=lambda each: each[1])[0]
        raise ModelUnloadable(
            f"its files have more than {MOST_BYTES:,} bytes together; the largest is {largest}"
        )


def _checked(entry: zipfile.ZipInfo) -> str:
    path = PurePosixPath(entry.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
        raise ModelUnloadable(f"its archive has the name {entry.filename!r}, which leads out of it")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise ModelUnloadable(f"its archive has a symbolic link, {entry.filename!r}")
    return entry.filename
