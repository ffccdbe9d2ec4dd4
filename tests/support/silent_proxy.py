"""A proxy for Redis that can withhold the replies to a worker's queue watch."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit


class SilentProxy:
    """Forwards all bytes until `withholds` is set."""

    def __init__(self, redis_url: str) -> None:
        self._target = unquote(urlsplit(redis_url).path)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self.withholds = threading.Event()

    def serve(self) -> None:
        while True:
            try:
                ours, _ = self._listener.accept()
            except OSError:  # closed
                return
            theirs = socket.socket(socket.AF_UNIX)
            theirs.connect(self._target)
            threading.Thread(target=self._pass_on, args=(ours, theirs), daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _pass_on(self, ours: socket.socket, theirs: socket.socket) -> None:
        watches = False
        with ours, theirs:
            while True:
                for one in select.select([ours, theirs], [], [])[0]:
                    try:
                        content = one.recv(2**16)
                        if not content:
                            return
                        if one is ours:
                            watches = b"BLMOVE" in content
                            theirs.sendall(content)
                        elif not (watches and self.withholds.is_set()):
                            ours.sendall(content)
                    except OSError:
                        return


@contextmanager
def silent_proxy(redis_url: str) -> Iterator[SilentProxy]:
    proxy = SilentProxy(redis_url)
    thread = threading.Thread(target=proxy.serve)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
