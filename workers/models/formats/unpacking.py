"""Puts the files of an archive on disk, for code that reads the files beside it."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from registry.storage.files import locked
from workers.models.formats.archive import ArchiveFiles
from workers.models.user_cache import user_cache


def on_disk(files: ArchiveFiles) -> Path:
    """A directory with exactly these files, in the user's cache; kept for the next load.

    Without a cache directory it is a temporary one.
    """
    try:
        base = user_cache("code")
    except OSError:
        return _written(files, Path(tempfile.mkdtemp(prefix="predictq-code-")))
    directory = base / _name(files)
    if not _holds(directory, files):
        with locked(base.with_name("code.lock")):
            if not _holds(directory, files):  # another process may have written it meanwhile
                _replace(files, base, directory)
    return directory


def _replace(files: ArchiveFiles, base: Path, directory: Path) -> None:
    """Write beside the directory, and rename: it is whole, or absent."""
    staging = _written(files, Path(tempfile.mkdtemp(dir=base)))
    try:
        shutil.rmtree(directory, ignore_errors=True)
        staging.rename(directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _written(files: ArchiveFiles, directory: Path) -> Path:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return directory


def _holds(directory: Path, files: ArchiveFiles) -> bool:
    """Whether a directory has these files and no other; not while another process replaces it."""
    try:
        paths = [path for path in directory.rglob("*") if not path.is_dir()]
        found = {path.relative_to(directory).as_posix(): path for path in paths}
        return found.keys() == files.keys() and all(
            path.read_bytes() == files[name] for name, path in found.items()
        )
    except OSError:
        return False


def _name(files: ArchiveFiles) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return digest.hexdigest()
