"""The callers' connections, which faults may break."""

import time

from benchmarks.harness.wire import Connection, LoadFailed, Response, Then, Wire

GIVE_UP = 10.0
"""Seconds to wait for an answer."""
NO_RESPONSE = Response(0, b"")
"""Stands for no answer: a broken connection or a timeout."""
_now = time.monotonic


class Line(Wire):
    """A `Wire` on which a lost connection is reported as a response, `NO_RESPONSE`."""

    def send(self, request: bytes, then: Then) -> None:
        """See `Wire.send`; if sending fails the response is `NO_RESPONSE`."""
        try:
            super().send(request, then)
        except (LoadFailed, OSError):
            then(NO_RESPONSE)

    def turn(self, within: float = 0.0) -> None:
        """See `Wire.turn`; requests time out after `GIVE_UP`."""
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
            then(NO_RESPONSE)
