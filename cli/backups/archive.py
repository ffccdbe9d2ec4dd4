"""The format of a backup: a tar file with Redis's data, the files of the home, and a note."""

import io
import tarfile
from pathlib import Path

import msgspec

DATA = "redis.rdb"
"""Redis's data, as a snapshot."""
NOTE = "backup.json"
"""The note: in the archive its description, in the home that of the last backup."""
MADE_ANEW = frozenset(
    ("redis", "logs", "metrics", "environments", "stack.json", "up.lock", "up.out", NOTE)
)
"""Files of a home that are made again, or belong to the running processes."""


class BackupNote(msgspec.Struct, frozen=True, kw_only=True):
    """The note in an archive."""

    made_at: float
    """Unix seconds of the moment before Redis's data was read."""
    path: str
    redis_version: str


def add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file from memory."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, io.BytesIO(content))


def last_backup(home: Path) -> BackupNote | None:
    """The last backup that was made of this home; None if there is none, or its note is damaged."""
    try:
        return msgspec.json.decode((home / NOTE).read_bytes(), type=BackupNote)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
