"""A private stack, and the commands that its user types, in this process."""

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
    """What a command said."""

    def __init__(self, code: int, output: str, errors: str) -> None:
        """Of standard output and of standard error."""
        self.is_good, self.output = code == 0, output
        self.words = " ".join(errors.split())


class Company:
    """A running stack; its home, its client and its command."""

    def __init__(self, home: Path, client: Client, url: str) -> None:
        """All of it is the caller's to end."""
        self.home, self.client, self.url = home, client, url

    def types(self, *words: str | Path) -> Said:
        """Type ``predictq …``."""
        told = CliRunner().invoke(main, [*map(str, words)])
        error = told.exception
        odd = repr(error) if error and not isinstance(error, SystemExit) else ""
        return Said(told.exit_code, told.stdout, told.stderr + odd)


def hurry(processes: Iterable[psutil.Process]) -> None:
    """Have a bulk worker give way to nobody, so that a busy machine shows the same, and sooner."""
    for process in processes:
        with suppress(OSError):  # whoever may not do that waits longer
            os.sched_setscheduler(process.pid, os.SCHED_OTHER, os.sched_param(0))
            os.setpriority(os.PRIO_PROCESS, process.pid, 0)
            Path(f"/proc/{process.pid}/autogroup").write_text("0")


@contextmanager
def company(directory: Path) -> Iterator[Company]:
    """A stack on free ports and a home of its own; it ends with the block."""
    home = directory / "home"
    home.mkdir()
    candidate = candidates.predictq(home, workers=1)
    url = f"http://127.0.0.1:{candidate.port}"
    with candidate.running() as processes, Client(url) as client:
        hurry(processes.tree("bulk"))
        said = {"pid": os.getpid(), "url": url, "redis_url": candidate.redis_url}
        (home / "stack.json").write_text(json.dumps(said))
        yield Company(home, client, url)
