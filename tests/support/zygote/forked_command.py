"""Commands of ours that the zygote forks, for tests of what they do, and not of their start."""

import os
import subprocess
from tempfile import TemporaryFile

from stack.process import ROOT
from tests.support.zygote.forked_process import zygote
from tests.support.zygote.zygote import Reap, Run


def run_forked(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run ``predictq`` with these words, as a process of its own, and wait for its end."""
    with TemporaryFile("w+") as output, TemporaryFile("w+") as errors:
        run = Run("cli.main", words, dict(os.environ), str(ROOT))
        pid = zygote().ask(run, output.fileno(), errors.fileno())
        code = zygote().ask(Reap(pid))
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(words, code, output.read(), errors.read())
