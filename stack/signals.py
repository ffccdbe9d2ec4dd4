"""Lets a loop wait for signals instead of running code in signal handlers."""

import select
import signal
import socket
from contextlib import suppress
from typing import Self


class Signals:
    """A context in which signals are received through a wakeup file descriptor."""

    shutdown = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})

    def __init__(self) -> None:
        self.replacing = False
        """Whether SIGUSR1 came; the user of the class resets it."""

    def __enter__(self) -> Self:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        # SIGCHLD only interrupts the wait; SIGUSR1 asks for new processes.
        # SIGHUP stays ignored under nohup.
        taken = {
            s for s in self.shutdown if s != signal.SIGHUP or signal.getsignal(s) != signal.SIG_IGN
        }
        # Handlers that do nothing: without one, Python writes no byte to the wakeup descriptor.
        self._handlers = {
            s: signal.signal(s, lambda *_: None) for s in taken | {signal.SIGCHLD, signal.SIGUSR1}
        }
        self._wakeup = signal.set_wakeup_fd(self._writer.fileno())
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()

    def wait(self, seconds: float) -> bool:
        """Wait for a signal, at most ``seconds``; returns whether one asked to shut down."""
        select.select([self._reader], [], [], seconds)
        with suppress(BlockingIOError):
            received = self._reader.recv(4096)
            self.replacing |= signal.SIGUSR1 in received
            return not self.shutdown.isdisjoint(received)
        return False
