"""Starts programs in stages, restarts those that die, and stops all of them at the end."""

import time
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Self

from stack.guard import Guard
from stack.process import Process, Program
from stack.rotation import rotate
from stack.signals import Signals

SHUTDOWN_SECONDS = 9.0
"""Default seconds from the first SIGTERM to the last SIGKILL."""
SECOND_SIGNAL_GRACE = 1.0
"""Seconds until SIGKILL after a second signal, which is passed on."""
REPLACE_TIMEOUT = 90.0
"""Seconds that a new process may take to replace another."""
FIRST_STAGE_SECONDS = 2.0
"""Seconds of the shutdown reserved for the first stage, Redis, which the others need."""
START_SECONDS = 180.0
"""Seconds until a program must be ready; one that ends before is noticed at once."""
RUN_SECONDS = 900.0
"""Seconds that a program may run before the others start."""


class Stopped(Exception):
    """A signal asked to shut down."""


class StartFailed(Exception):
    """A process died before it was ready, or was not ready in time."""


class Supervisor:
    """Starts programs in stages and keeps them running; exiting stops them in reverse order."""

    def __init__(
        self,
        logs: Path,
        tell: Callable[[str], None],
        keep: tuple[int, ...] = (),
        shutdown_timeout: float = SHUTDOWN_SECONDS,
    ) -> None:
        """``keep``: file descriptors to hold open until the last process is gone.

        ``shutdown_timeout``: seconds for the whole shutdown.
        """
        self._logs, self._tell, self._keep = logs, tell, keep
        self._shutdown_timeout = shutdown_timeout
        self._stages: list[list[Process]] = []
        self._unsupervised: list[Process] = []
        self._added: list[Process] = []
        self._retiring: list[tuple[Process, float]] = []
        """Processes that end, each with the time at which it is killed."""
        self._signals = Signals()

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        self._signals.__enter__()
        self._guard = Guard(self._keep)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._guard.close()
        self._signals.__exit__()

    def start(self, *programs: Program, within: float = START_SECONDS) -> None:
        """Start a stage and wait until all of it is ready; raises `StartFailed`."""
        stage: list[Process] = []
        self._stages.append(stage)
        for program in programs:
            self._launch(program, self._logs / f"{program.name}.log", stage)
        try:
            self.until(lambda: not self._not_ready(stage), within)
        except TimeoutError:
            late = (f"{p.program.name} is not ready:{p.tail()}" for p in self._not_ready(stage))
            raise StartFailed("\n".join(late)) from None

    def run(self, program: Program, within: float = RUN_SECONDS) -> None:
        """Run a program to its end, with its output in ours.

        Raises `StartFailed` if it fails, or takes longer than ``within`` seconds.
        """
        process = self._launch(program, None, self._unsupervised)
        try:
            self.until(lambda: not process.running(), within)
        except TimeoutError:
            late = f"{program.name} took more than {within:.0f} s: the machine may be too busy"
            raise StartFailed(late) from None
        # The kernel may give the number of an ended group to other processes.
        self._guard.release(process.group)
        if process.code:
            raise StartFailed(process.crash_report())

    def until(self, condition: Callable[[], object], within: float) -> None:
        """Supervise until the condition holds; raises `TimeoutError` after ``within`` seconds."""
        deadline = time.monotonic() + within
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError
            self._tend(0.05)

    def watch(self, each_turn: Callable[[], None] = lambda: None) -> None:
        """Supervise until SIGUSR1 asks to replace the processes; raises `Stopped` on shutdown.

        ``each_turn`` is called several times a second.
        """
        self._signals.replacing = False
        while not self._signals.replacing:
            each_turn()
            self._tend(0.2)

    @property
    def added(self) -> dict[str, Process]:
        """The processes that `add` started and `set_aside` did not take, by name."""
        return {process.program.name: process for process in self._added}

    def add(self, program: Program) -> None:
        """Start a program beside the stages. Its crash, even the first, ends no other process."""
        # Behind the stages of the start, and so stopped before them.
        if self._added not in self._stages:
            self._stages.append(self._added)
        process = self._launch(program, self._logs / f"{program.name}.log", self._added)
        # Else a crash of this process would end the whole stack, see `_report_crash`.
        process.ready = True

    def set_aside(self, process: Process) -> None:
        """Do not start an added process again; another one may have its name from now on."""
        self._added.remove(process)
        self._unsupervised.append(process)

    def retire(self, process: Process) -> None:
        """Have a process that was set aside end, and kill it if it takes too long."""
        process.terminate()
        self._retiring.append((process, time.monotonic() + self._shutdown_timeout))

    def replace(self) -> list[str]:
        """Replace all processes without a gap; returns the names of those that could not be."""
        serving = [(stage, process) for stage in self._stages for process in stage]
        return [p.program.name for stage, p in serving if not self._replace(stage, p)]

    def _launch(self, program: Program, log: Path | None, among: list[Process]) -> Process:
        process = Process(program, log)
        among.append(process)
        self._hold(process)
        return process

    def _hold(self, process: Process) -> None:
        # Redis, the first stage, ends last, because the others need it to settle what they compute.
        self._guard.hold(process.group, last=process in chain(*self._stages[:1]))

    def _replace(self, stage: list[Process], old: Process) -> bool:
        """Replace one process, unless it keeps state as Redis does; returns whether it worked."""
        if old.program.reloads:
            return self._reload(old)
        if (works := old.program.relieves) is None:
            return True
        # Not in the stage yet: a process there that dies before it is ready ends the whole stack.
        new = self._launch(old.program, old.log, self._unsupervised)
        if not self._comes_true(lambda: not new.running() or works(new.group)) or not new.running():
            self._wait_for_exit(new, 0.0)
            return False
        new.ready = True
        # Exchanged before the old one ends, or `_tend` would report its end as a crash.
        stage[stage.index(old)] = new
        self._unsupervised.append(old)
        self._unsupervised.remove(new)
        old.terminate()
        self._wait_for_exit(old, self._shutdown_timeout)
        return True

    def _reload(self, process: Process) -> bool:
        before = process.children()
        process.reload()
        return self._comes_true(lambda: (now := process.children()) - before and before - now)

    def _comes_true(self, condition: Callable[[], object]) -> bool:
        try:
            self.until(condition, REPLACE_TIMEOUT)
        except TimeoutError:
            return False
        return True

    def _wait_for_exit(self, process: Process, within: float) -> None:
        """Wait for a process to end, at most ``within`` seconds, then kill it."""
        with suppress(TimeoutError):
            self.until(lambda: not process.running(), within)
        process.kill()
        self._guard.release(process.group)
        self._unsupervised.remove(process)

    def _not_ready(self, stage: list[Process]) -> list[Process]:
        """The processes that are not ready yet; announces those that have become ready."""
        for process in stage:
            if not process.ready and (line := process.program.ready()):
                process.ready = True
                self._tell(f"{process.program.name:<7} {line}")
        return [process for process in stage if not process.ready]

    def _tend(self, seconds: float) -> None:
        if self._signals.wait(seconds):
            raise Stopped
        self._guard.restart_if_ended()
        self._bound_logs()
        self._end_retiring()
        for process in [process for stage in self._stages for process in stage]:
            if process.code is not None:  # seen and reported in an earlier turn
                self._restart(process)
            elif not process.running():
                self._report_crash(process)

    def _end_retiring(self) -> None:
        for process, deadline in [*self._retiring]:
            if not process.running() or time.monotonic() > deadline:
                self._retiring.remove((process, deadline))
                self._wait_for_exit(process, 0.0)

    def _bound_logs(self) -> None:
        """Rotate the logs; done at every check, as nothing else bounds what processes write."""
        for process in chain(self._unsupervised, *self._stages):
            if process.log:
                rotate(process.log)

    def _report_crash(self, process: Process) -> None:
        self._guard.release(process.group)
        # Before it was ever ready, another start would fail in the same way.
        if not process.ready:
            raise StartFailed(process.crash_report())
        self._tell(f"{process.crash_report()}\nstarted again in {process.postpone():.1f} s")

    def _restart(self, process: Process) -> None:
        if process.due():
            process.start()
            self._hold(process)

    def _stop(self) -> None:
        """Stop the stages one by one, the first one last: SIGTERM, wait, SIGKILL."""
        end = time.monotonic() + self._shutdown_timeout
        # First what stands outside of the stages, as a replacement that is under way.
        stages = [self._unsupervised, *reversed(self._stages)]
        for left, stage in zip(range(len(stages))[::-1], stages, strict=True):
            end = self._stop_stage(stage, end, reserve=FIRST_STAGE_SECONDS if left else 0.0)

    def _stop_stage(self, stage: list[Process], end: float, reserve: float) -> float:
        """Stop one stage; returns the next one's deadline, which a second Ctrl-C brings forward."""
        for process in reversed(stage):
            process.terminate()
        while any(process.running() for process in stage):
            self._bound_logs()
            if self._signals.wait(0.05):
                # Passed on: a worker ends at once at its second signal.
                end = min(end, time.monotonic() + SECOND_SIGNAL_GRACE + reserve)
                for process in stage:
                    process.terminate()
            if time.monotonic() > end - reserve:
                break
        for process in stage:
            process.kill()
            self._guard.release(process.group)
        self._bound_logs()
        return end
