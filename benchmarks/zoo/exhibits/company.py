"""A private stack, and CLI commands run in this process."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from click.testing import CliRunner

from benchmarks.harness import candidates
from cli.main import main
from predictq import Client


class Said:
    """The output of a command."""

    def __init__(self, code: int, output: str, errors: str) -> None:
        """Exit code, standard output and standard error."""
        self.is_good, self.output = code == 0, output
        self.words = " ".join(errors.split())


class Company:
    """A running stack with its home, client and CLI."""

    def __init__(self, home: Path, client: Client, url: str) -> None:
        """The caller must close the client and stop the stack."""
        self.home, self.client, self.url = home, client, url

    def types(self, *words: str | Path) -> Said:
        """Run ``predictq …``."""
        told = CliRunner().invoke(main, [*map(str, words)])
        error = told.exception
        odd = repr(error) if error and not isinstance(error, SystemExit) else ""
        return Said(told.exit_code, told.stdout, told.stderr + odd)


def hurry(processes: Iterable[psutil.Process]) -> None:
    """Raise the bulk worker to normal priority, so that a busy machine does not slow it down."""
    for process in processes:
        with suppress(OSError):  # not permitted: it takes longer
            os.sched_setscheduler(process.pid, os.SCHED_OTHER, os.sched_param(0))
            os.setpriority(os.PRIO_PROCESS, process.pid, 0)
            Path(f"/proc/{process.pid}/autogroup").write_text("0")


@contextmanager
def company(directory: Path) -> Iterator[Company]:
    """A stack on free ports with its own home, in a context."""
    home = directory / "home"
    home.mkdir()
    candidate = candidates.predictq(home, workers=1)
    url = f"http://127.0.0.1:{candidate.port}"
    with candidate.running() as processes, Client(url) as client:
        hurry(processes.tree("bulk"))
        said = {"pid": os.getpid(), "url": url, "redis_url": candidate.redis_url}
        (home / "stack.json").write_text(json.dumps(said))
        yield Company(home, client, url)
