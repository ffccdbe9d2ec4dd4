"""Ownership of job files: whether they belong to the jobs in this Redis."""

import logging
import secrets
from pathlib import Path
from typing import cast

import redis

from registry.storage.files import locked, remove_file, write_file
from tasks.ledger import keys

log = logging.getLogger(__name__)
STACK_FILE = "stack"
PROPOSAL_FILE, LOCK_FILE = "stack.proposed", ".lock"


def is_ours(client: redis.Redis, jobs: Path) -> bool:
    """Whether the folder and Redis hold the same id; both get one if neither has any.

    With a wrong REDIS_URL, another Redis would answer that it knows none of the jobs, and their
    files would be removed.
    """
    path = jobs / STACK_FILE
    with locked(jobs / LOCK_FILE):
        there, known = _read(path), _known(client)
        if there is None and (known in (None, _read(jobs / PROPOSAL_FILE)) or _is_empty(jobs)):
            there = known = _agree(client, jobs)
    if there == known:
        return True
    log.warning(
        "%s belongs to another Redis, so nothing there is removed; check REDIS_URL, "
        "or delete that file if that Redis will never return",
        path,
    )
    return False


def _agree(client: redis.Redis, jobs: Path) -> bytes | None:
    """Give folder and Redis the same id, and return it.

    The folder proposes the id before Redis takes it. So if this process ends in between, the next
    call sees that Redis took the folder's own proposal, and completes the file.
    """
    proposal = _read(jobs / PROPOSAL_FILE) or secrets.token_hex(16).encode()
    write_file(jobs / PROPOSAL_FILE, proposal)
    # NX: workers on other machines may do this at once; all read the id that came first.
    client.set(keys.JOBS_STACK, proposal, nx=True)
    agreed = _known(client)
    write_file(jobs / STACK_FILE, agreed or b"")
    remove_file(jobs / PROPOSAL_FILE)
    return agreed


def _is_empty(jobs: Path) -> bool:
    return not any(jobs.glob("*/"))


def _known(client: redis.Redis) -> bytes | None:
    return cast("bytes | None", client.get(keys.JOBS_STACK))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
