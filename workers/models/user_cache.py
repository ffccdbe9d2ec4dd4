"""Directories in the user's cache, for what can be made again at any time."""

import os
from pathlib import Path


def user_cache(name: str) -> Path:
    """A directory of this user alone; raises `OSError` if there is none."""
    home, root = os.environ.get("HOME"), os.environ.get("XDG_CACHE_HOME")
    if not (home or root):
        raise FileNotFoundError("there is no cache directory, as HOME is not set")
    ours = Path(root or f"{home}/.cache", "predictq")
    _make_private(ours)
    _make_private(ours / name)
    return ours / name


def _make_private(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = directory.stat()
    if state.st_uid != os.geteuid() or state.st_mode & 0o022:
        raise PermissionError(f"{directory} could be written by others")
