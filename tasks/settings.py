"""What the environment decides, read once at start."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec


def directory(given: str | Path) -> Path:
    """The directory that somebody means: ``~`` is theirs, and a later chdir changes nothing."""
    return Path(given).expanduser().absolute()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a process of ours; `from_environment` reads each from ``PREDICTQ_<NAME>``."""

    home: Path
    """All state lives here: models, the id key, Redis's data, logs."""
    redis_url: str
    hosts: str = ""
    """Names under which the API may be asked beside those of this machine, between commas."""
    max_rows: int = 10_000
    """Rows one request may carry."""
    max_body_bytes: int = 16 * 2**20
    max_outcome_bytes: int = 16 * 2**20
    """Bytes that the outcome of one prediction may have, which Redis keeps."""
    max_queued: int = 500_000
    """Rows the queue may hold; beyond it submissions are refused."""
    max_queued_bytes: int = 2**30
    """Bytes of messages the queue may hold, the same."""
    canary_interval: float = 15
    """Seconds from one canary on a queue to the next."""
    visibility_timeout: Annotated[float, msgspec.Meta(ge=2)] = 30
    """Seconds after which the work of a dead worker is given to another."""
    shutdown_timeout: float = 30
    """Seconds from the signal to end until a worker has ended; 5 of them are not for computing."""
    threads: int = 32
    """Threads of an API process; half of them may wait for outcomes. Plain requests need none."""
    result_ttl: int = 24 * 3600
    """Seconds an outcome is kept after it is settled."""
    max_dead_letters: int = 10_000
    """Dead letters that are kept; beyond it the oldest go."""
    max_dead_letter_bytes: int = 128 * 2**20
    """Bytes of them, the same."""
    dead_letters_per_minute: int = 20
    """Dead letters of one version within a minute, beyond which it is paused."""
    breaker_failures: int = 5
    """Failures of what computes a version, in a row, that pause it; ten minutes end a row, too."""
    probe_after: float = 10
    """Seconds after which a paused version is tried with one message."""

    batch_roots: str = ""
    """Where any caller's batch jobs may read and write, separated as in PATH."""
    batch_priority: Literal["low", "normal"] = "low"
    """How batch jobs compete with all else on the machine; a machine that is always busy starves
    those of low priority."""
    job_ttl: int = 7 * 24 * 3600
    """Seconds that a batch job may take, and that it is kept after its end."""
    max_live_jobs: Annotated[int, msgspec.Meta(ge=1)] = 1000
    """Batch jobs that may be under way; beyond it they are refused."""
    max_jobs: Annotated[int, msgspec.Meta(ge=1)] = 10_000
    """Batch jobs that are kept, ended ones among them; the same."""
    max_job_bytes: Annotated[int, msgspec.Meta(ge=0)] = 100 * 2**30
    """Bytes that the files of all batch jobs may take in the home; the same."""
    job_memory: Annotated[int, msgspec.Meta(ge=2**28)] | None = None
    """Bytes by which a process that computes batch jobs may grow; else by what the machine has."""
    spare_bytes: Annotated[int, msgspec.Meta(ge=0)] = 2**30
    """Bytes that batch jobs leave free on each disk that they write to."""

    @classmethod
    def from_environment(cls) -> Self:
        """Read every setting; a value that is none of its type is a `ValueError`."""
        given = {
            f: v for f in cls.__struct_fields__ if (v := os.environ.get(f"PREDICTQ_{f.upper()}"))
        }
        given.setdefault("home", "~/.predictq")
        given["redis_url"] = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
        return msgspec.convert(given, cls, strict=False, dec_hook=lambda _, value: directory(value))
