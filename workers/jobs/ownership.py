"""Ownership of job files: whether they belong to the jobs in this Redis."""

import logging
import secrets
from pathlib import Path
from typing import cast

import redis

from registry.storage.files import write_file
from tasks.ledger import keys

log = logging.getLogger(__name__)
STACK_FILE = "stack"


def is_ours(client: redis.Redis, jobs: Path) -> bool:
    """Whether the folder and Redis hold the same id; both get one if neither has any.

    With a wrong REDIS_URL, another Redis would answer that it knows none of the jobs, and their
    files would be removed.
    """
    path = jobs / STACK_FILE
    there, known = _read(path), _known(client)
    if there is None and (known is None or not any(jobs.glob("*/"))):
        # NX: two workers may do this at once; both read the id that came first.
        client.set(keys.JOBS_STACK, secrets.token_hex(16), nx=True)
        there = known = _known(client)
        write_file(path, there or b"")
    if there == known:
        return True
    log.warning(
        "%s belongs to another Redis, so nothing there is removed; check REDIS_URL, "
        "or delete that file if that Redis will never return",
        path,
    )
    return False


def _known(client: redis.Redis) -> bytes | None:
    return cast("bytes | None", client.get(keys.JOBS_STACK))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
