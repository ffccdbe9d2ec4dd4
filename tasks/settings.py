"""Settings from the environment, read once at start."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec


def directory(given: str | Path) -> Path:
    """An absolute path: ``~`` is expanded, and a later chdir does not change it."""
    return Path(given).expanduser().absolute()


def redis_url() -> str:
    """The URL of Redis. Celery's configuration needs it too, which no composition root can pass."""
    return os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one process; `from_environment` reads each from ``PREDICTQ_<NAME>``."""

    home: Path
    """Directory of all state: models, the id key, Redis's data, logs."""
    redis_url: str
    hosts: str = ""
    """Host names that the API accepts beside those of this machine, separated by commas."""
    cors_origins: str = ""
    """Origins whose pages may call the API and read its answers, separated by commas."""
    require_keys: bool = False
    """Whether every request needs a key, also those from this machine."""
    keys_file: Path | None = None
    """A file of keys, one a line, beside those in Redis."""
    issuers_file: Path | None = None
    """A file of issuers whose JWTs are taken in place of keys."""
    insecure: bool = False
    """Whether the API serves callers without a key although it listens beyond loopback."""
    max_rows: int = 10_000
    """Most rows of one request."""
    max_body_bytes: int = 16 * 2**20
    max_outcome_bytes: int = 16 * 2**20
    """Most bytes of one prediction's outcome, which Redis keeps."""
    max_queued: int = 500_000
    """Most rows that the queue holds; further submissions are refused."""
    max_queued_bytes: int = 2**30
    """Most bytes of messages that the queue holds; further submissions are refused."""
    tenant_queued_rows: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Most rows of one tenant that a queue holds; its further submissions are refused."""
    tenant_outcome_bytes: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Most bytes of one tenant's outcomes; beyond it, its submissions are refused."""
    canary_interval: float = 15
    """Seconds between two canaries on a queue."""
    visibility_timeout: Annotated[float, msgspec.Meta(ge=2)] = 30
    """Seconds after which the messages of a killed worker go back to their queue."""
    shutdown_timeout: float = 30
    """Seconds from SIGTERM until a worker has ended; the last 5 are reserved for cleaning up."""
    scale_wait: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 1
    """Seconds within which waiting rows should be computed, by which processes are asked for."""
    autoscale: Annotated[str, msgspec.Meta(pattern=r"^([1-9]\d{0,3}\.\.[1-9]\d{0,3})?$")] = ""
    """``1..8``: how many processes the workers of the shared queue have, by what it needs."""
    threads: int = 32
    """Threads of an API process. Requests that the event loop answers use none."""
    result_ttl: int = 24 * 3600
    """Seconds that Redis keeps an outcome."""
    max_dead_letters: int = 10_000
    """Most dead letters kept; the oldest are dropped first."""
    max_dead_letter_bytes: int = 128 * 2**20
    """Most bytes of dead letters kept; the oldest are dropped first."""
    dead_letters_per_minute: int = 20
    """Dead letters of one version within a minute above which it is paused."""
    breaker_failures: int = 5
    """Consecutive failures that pause a version; ten minutes without one reset the count."""
    prediction_memory: Annotated[int, msgspec.Meta(ge=2**28)] | None = None
    """Bytes by which a process that computes predictions may grow; None goes by the free RAM."""
    probe_after: float = 10
    """Seconds after which one message, the probe, tests a paused version."""

    max_model_bytes: Annotated[int, msgspec.Meta(ge=1)] = 2 * 2**30
    """Most bytes of a model, and of a sample, that is uploaded."""
    trust_uploads: bool = False
    """Whether callers with the local key may upload models that run code when they are loaded."""

    webhooks_allow_http: bool = False
    """Whether webhooks may have http:// addresses."""
    webhooks_allow_local: bool = False
    """Whether webhooks may have addresses of this machine and of private networks, on any port."""
    webhooks_proxy: str = ""
    """``http://host:port`` of an HTTP proxy that webhook events are sent through."""

    batch_roots: str = ""
    """Allowed paths: where any caller's batch jobs may read and write, separated as in PATH."""
    batch_priority: Literal["low", "normal"] = "low"
    """Scheduling priority of batch jobs. On a machine that is always busy, ``low`` may starve
    them."""
    job_ttl: int = 7 * 24 * 3600
    """Seconds that a batch job may take, and for which it is kept after it has ended."""
    max_live_jobs: Annotated[int, msgspec.Meta(ge=1)] = 1000
    """Most batch jobs under way; further ones are refused."""
    max_jobs: Annotated[int, msgspec.Meta(ge=1)] = 10_000
    """Most batch jobs kept, ended ones included; further ones are refused."""
    max_job_bytes: Annotated[int, msgspec.Meta(ge=0)] = 100 * 2**30
    """Most bytes of all batch jobs' files in the home; beyond it, nothing more is written."""
    tenant_job_bytes: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Most bytes of the files of one tenant's batch jobs; the default tenant has no quota."""
    job_memory: Annotated[int, msgspec.Meta(ge=2**28)] | None = None
    """Bytes by which a process that computes batch jobs may grow; None goes by the free RAM."""
    spare_bytes: Annotated[int, msgspec.Meta(ge=0)] = 2**30
    """Disk reserve: bytes that batch jobs leave free on each disk that they write to."""

    @classmethod
    def from_environment(cls) -> Self:
        """Read every setting; raises `ValueError` for a value that does not fit its type."""
        given = {
            f: v for f in cls.__struct_fields__ if (v := os.environ.get(f"PREDICTQ_{f.upper()}"))
        }
        given.setdefault("home", "~/.predictq")
        given["redis_url"] = redis_url()
        return msgspec.convert(given, cls, strict=False, dec_hook=lambda _, value: directory(value))
