"""The registrar: takes pending registrations one after the other, and has each one checked.

A registration is claimed by a lock that its process inherits: if that process or this worker is
killed, any worker takes the registration again.
"""

import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil

from registry.registrations.registrations import CLAIM, Registrations
from registry.registrations.request import GateDecision
from registry.storage.files import try_lock
from registry.store import Registry
from telemetry.errors import PredictqError, TimedOut, WorkerLost
from telemetry.logs import of_version

log = logging.getLogger(__name__)
CHECKING = "workers.registrations.checking"
"""The module that checks a registration in a process of its own."""
SCAN_SECONDS = 0.5
"""Seconds between two looks for registrations."""
CHECK_SECONDS = 900.0
"""Seconds that checking a model may take, its environment included."""
MAX_CHECKS = 3
"""Attempts after which a registration whose process ends without a decision is refused."""
SWEEP_SECONDS = 600.0


class Registrar:
    """Checks the registrations of a home until it is told to stop."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._registrations = Registrations(Registry(home))
        self._swept = 0.0

    def run(self, over: threading.Event) -> None:
        """Check registrations, the oldest first, until ``over`` is set."""
        while not over.is_set():
            try:
                self._sweep()
                for reference in self._waiting():
                    if not over.is_set():
                        self._take_safely(reference, over)
            except OSError as error:
                log.warning("registrations cannot be checked: %s", error)
            over.wait(SCAN_SECONDS)

    def _take_safely(self, reference: str, over: threading.Event) -> None:
        """Check registrations; an error of one does not keep the others from their check."""
        try:
            self._take(reference, over)
        except Exception:
            log.exception("a registration cannot be checked", extra=of_version(reference))

    def _waiting(self) -> list[str]:
        found = []
        for reference in self._registrations.pending():
            with suppress(FileNotFoundError):  # decided or withdrawn meanwhile
                made = self._registrations.directory(reference).stat().st_mtime
                found.append((made, reference))
        return [reference for _, reference in sorted(found)]

    def _sweep(self) -> None:
        if time.monotonic() - self._swept > SWEEP_SECONDS or not self._swept:
            self._swept = time.monotonic()
            self._registrations.sweep()

    def _take(self, reference: str, over: threading.Event) -> None:
        claim = self._registrations.directory(reference) / CLAIM
        with suppress(FileNotFoundError), try_lock(claim) as descriptor:
            if descriptor is None:
                return
            if self._registrations.request(reference) is None:  # withdrawn just now
                self._registrations.delete(reference)
                return
            attempt = self._registrations.begin_attempt(reference)
            if attempt > MAX_CHECKS:
                self._refuse(
                    reference,
                    WorkerLost(
                        f"the process that checked the model ended {MAX_CHECKS} times without "
                        "a decision: the model kills it, or there is too little memory"
                    ),
                )
            elif not self._checked(reference, descriptor, over):
                self._interrupted(reference, over)

    def _checked(self, reference: str, descriptor: int, over: threading.Event) -> bool:
        """Run the process of one registration; returns whether it ended by itself."""
        process = subprocess.Popen(
            [sys.executable, "-m", CHECKING, reference],
            env={**os.environ, "PREDICTQ_HOME": str(self._home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(descriptor,),
        )
        try:
            return _ended(process, over, self._registrations.directory(reference))
        finally:
            _end(process)

    def _interrupted(self, reference: str, over: threading.Event) -> None:
        if over.is_set():
            self._registrations.uncount_attempt(reference)
        else:
            late = TimedOut(f"checking the model took more than {CHECK_SECONDS:.0f} s")
            self._refuse(reference, late)

    def _refuse(self, reference: str, error: PredictqError) -> None:
        request = self._registrations.request(reference)
        if request is not None:
            decision = GateDecision(status="refused", code=error.code, reason=error.message)
            self._registrations.decide(request, decision)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process with its children: one may load a model in native code without an end."""
    with suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()
    process.kill()
    process.wait()


def _ended(process: subprocess.Popen[bytes], over: threading.Event, directory: Path) -> bool:
    """Wait for the process; returns whether it is done, also because its files are deleted."""
    deadline = time.monotonic() + CHECK_SECONDS
    while process.poll() is None:
        if over.wait(0.05) or time.monotonic() > deadline:
            return False
        if not directory.exists():  # decided or withdrawn
            return True
    return True
