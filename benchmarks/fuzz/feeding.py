"""Feeds a target, and finds unexpected errors, slow inputs and memory growth."""

import base64
import random
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from traceback import format_exception
from types import FrameType

import msgspec

from benchmarks.fuzz.mutating import mutated
from benchmarks.fuzz.target import Parse, Target
from telemetry.errors import PredictqError

CPU_LIMIT = 1.0
"""Limit of CPU seconds per input."""
GROWTH = 512
"""Limit of a process's growth in MiB."""
MOST_FOUND = 5
"""Findings reported per target."""
SHOWN = 2000
"""Characters of a traceback to keep."""


class Slow(BaseException):
    """An input takes longer than `CPU_LIMIT`."""


class Finding(msgspec.Struct, frozen=True):
    """An input with its effect."""

    target: str
    what: str
    content: str
    """The input, in Base64."""


class Fed(msgspec.Struct):
    """The results of some inputs."""

    inputs: int = 0
    refused: int = 0
    """Inputs refused with a `PredictqError`."""
    aborted: int = 0
    """Processes that a library aborted, of targets that may abort."""
    findings: list[Finding] = []

    def add(self, other: "Fed") -> None:
        """Add the counts of another run."""
        self.inputs += other.inputs
        self.refused += other.refused
        self.aborted += other.aborted
        self.findings = [*self.findings, *other.findings][:MOST_FOUND]


def feed(
    target: Target, parse: Parse, seed: str, inputs: int, note: Callable[[bytes], object]
) -> Fed:
    """Feed inputs, the same for the same seed; each is saved before it is parsed."""
    chance, fed, before = random.Random(seed), Fed(), _peak()  # noqa: S311 - no secret
    with _watching():
        for _ in range(inputs):
            content = mutated(target.corpus, chance)
            note(content)
            fed.add(_one(target, parse, content))
    if (grown := _peak() - before) > GROWTH:
        fed.add(Fed(findings=[Finding(target.name, f"it grew by {grown} MiB", seed)]))
    return fed


def _one(target: Target, parse: Parse, content: bytes) -> Fed:
    """Feed one input; a slow one is fed again, since a busy machine may have made it slow."""
    fed, is_slow = _once(target, parse, content)
    return _once(target, parse, content)[0] if is_slow else fed


def _once(target: Target, parse: Parse, content: bytes) -> tuple[Fed, bool]:
    """The result of one input, and whether it took too long."""
    signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT)
    try:
        parse(content)
    except PredictqError:
        return Fed(inputs=1, refused=1), False
    except (Exception, Slow) as error:  # noqa: BLE001 - any other error is a finding
        what = "".join(format_exception(error))[-SHOWN:]
        finding = Finding(target.name, what, base64.b64encode(content).decode())
        return Fed(inputs=1, findings=[finding]), isinstance(error, Slow)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return Fed(inputs=1), False


@contextmanager
def _watching() -> Iterator[None]:
    """Limit CPU time, not wall time, since other processes may use the machine."""
    before = signal.signal(signal.SIGPROF, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGPROF, before)


def _raise(_: int, __: FrameType | None) -> None:
    raise Slow(f"it takes more than {CPU_LIMIT} s")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
