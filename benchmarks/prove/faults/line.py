"""The connections of callers, which the faults may end."""

import time

from benchmarks.harness.wire import Connection, LoadFailed, Response, Then, Wire

GIVE_UP = 10.0
"""Seconds that a caller waits for an answer."""
NOBODY = Response(0, b"")
"""The answer of one who died, or said nothing in time."""
_now = time.monotonic


class Line(Wire):
    """Connections that may be lost: that is an answer, too."""

    def send(self, request: bytes, then: Then) -> None:
        """See `Wire`; what cannot be sent is answered by nobody."""
        try:
            super().send(request, then)
        except (LoadFailed, OSError):
            then(NOBODY)

    def turn(self, within: float = 0.0) -> None:
        """See `Wire`; who says nothing in time is given up."""
        self._heard = _now()
        super().turn(within)
        late = _now() - GIVE_UP
        for connection in [c for c in self._open.values() if c.then and c.since < late]:
            self._lose(connection, TimeoutError())

    def _lose(self, connection: Connection, error: OSError) -> None:
        then, connection.then = connection.then, None
        if connection in self._free:
            self._free.remove(connection)
        del self._open[connection.socket.fileno()]
        connection.socket.close()
        if then and self._line:
            self.send(*self._line.popleft())
        if then:
            then(NOBODY)
