"""Makes a home from a backup; `up` starts a stack on it as on any other."""

import shutil
import tarfile
from pathlib import Path

import msgspec

from cli.backups.archive import DATA, NOTE, BackupNote
from cli.failure import Failure
from registry.storage.files import sync_directory

LOG = "appendonly.aof"
"""Redis's log, which may be a snapshot. Redis 7 moves it to where it keeps its own."""


def restore_backup(source: Path, home: Path) -> BackupNote:
    """Make the home, which must not exist or be empty; it is complete or absent.

    Raises `Failure` if there is a home, or the file is no backup.
    """
    if home.exists() and any(home.iterdir()):
        raise Failure(f"{home} is not empty: restore to a home that does not exist")
    draft = home.with_name(f"{home.name}.restoring")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    try:
        note = _extracted(source, draft)
        (draft / "redis").mkdir(mode=0o700)
        (draft / DATA).rename(draft / "redis" / LOG)
        draft.replace(home)  # over an empty directory, too
        sync_directory(home.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return note


def _extracted(source: Path, directory: Path) -> BackupNote:
    try:
        with tarfile.open(source) as archive:
            archive.extractall(directory, filter=_files_alone)  # noqa: S202 - see there
        return msgspec.json.decode((directory / NOTE).read_bytes(), type=BackupNote)
    except (tarfile.TarError, EOFError, FileNotFoundError, msgspec.DecodeError) as error:
        raise Failure(f"{source} is no backup, or it is damaged: {error}") from error


def _files_alone(entry: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
    """The entry, if it is a file or directory below the path; raises `tarfile.FilterError`.

    Backups have no links, and Python's own filter was led out of the directory by some.
    """
    if not (entry.isfile() or entry.isdir()):
        raise tarfile.SpecialFileError(entry)
    return tarfile.data_filter(entry, path)
