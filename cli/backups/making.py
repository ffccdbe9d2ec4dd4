"""Makes a backup of a stack while it runs: first Redis's data, then the files that it names."""

import os
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import redis

from cli.backups.archive import DATA, MADE_ANEW, NOTE, BackupNote, add_bytes
from cli.failure import Failure
from registry.storage.files import locked, sync_directory, write_file
from tasks.ledger.ledger import connect

SNAPSHOT_SECONDS = 600.0
"""Seconds that Redis may take to write its data."""
SNAPSHOT_LOOK = 0.1


def make_backup(home: Path, redis_url: str, target: Path, tell: Callable[[str], None]) -> None:
    """Write an archive from which `restore` makes a home; it is complete or absent.

    Raises `Failure` if Redis cannot be saved, or its data is on another machine.
    """
    with connect(redis_url, timeout=10) as client, _written(target) as archive:
        note = BackupNote(
            made_at=time.time(),
            path=str(target),
            redis_version=str(client.info("server")["redis_version"]),
        )
        # Redis first: what it names lies in the home by then, and stays there.
        with _snapshot(client) as data:
            archive.add(data, DATA)
            tell(f"redis   {data.stat().st_size} bytes")
        # No version, alias or deployment changes half while it is read.
        with locked(home / "models" / ".lock"):
            many = sum(_add(archive, path, home) for path in _files(home))
        tell(f"home    {many} files")
        add_bytes(archive, NOTE, msgspec.json.encode(note))
    write_file(home / NOTE, msgspec.json.encode(note), 0o600)


@contextmanager
def _written(target: Path) -> Iterator[tarfile.TarFile]:
    """A tar file that appears when the block has ended well; its keys are for its owner only."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w") as archive:
                yield archive
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        sync_directory(target.parent)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _snapshot(client: redis.Redis) -> Iterator[Path]:
    """Redis's data in a file, which is removed after the block."""
    _until_saved(client)
    client.bgsave()
    _until_saved(client)
    if client.info("persistence")["rdb_last_bgsave_status"] != "ok":
        raise Failure("Redis could not write its data; its log says why, perhaps a full disk")
    settings = client.config_get("dir") | client.config_get("dbfilename")
    path = Path(str(settings["dir"]), str(settings["dbfilename"]))
    if not path.is_file():
        raise Failure(f"{path}, which Redis wrote, is on another machine: make the backup there")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _until_saved(client: redis.Redis) -> None:
    deadline = time.monotonic() + SNAPSHOT_SECONDS
    while client.info("persistence")["rdb_bgsave_in_progress"]:
        if time.monotonic() > deadline:
            raise Failure(f"Redis did not write its data within {SNAPSHOT_SECONDS:.0f} s")
        time.sleep(SNAPSHOT_LOOK)


def _files(home: Path) -> Iterator[Path]:
    for top in sorted(home.iterdir()):
        if top.name not in MADE_ANEW:
            yield top
            yield from sorted(top.rglob("*")) if top.is_dir() else ()


def _add(archive: tarfile.TarFile, path: Path, home: Path) -> bool:
    """Add a file, or a directory without its files; False if it is gone by now."""
    if path.is_symlink() or not (path.is_file() or path.is_dir()):
        return False
    with suppress(FileNotFoundError):  # a part of a batch job, for instance, that was assembled
        archive.add(path, str(path.relative_to(home)), recursive=False)
        return True
    return False
