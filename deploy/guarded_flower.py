"""Flower's start-up: `celery -A deploy.guarded_flower flower`. It answers only to its own names.

Flower shows tracebacks, which the API shows only with a key. Without this check, a page in a
browser on this machine could read them by pointing a name of its own at Flower (DNS rebinding).
"""

from typing import Any

import flower.command
from flower.app import Flower
from tornado.httputil import HTTPServerRequest
from tornado.web import ErrorHandler

from tasks.app import app
from tasks.hosts import Hosts
from tasks.settings import Settings

__all__ = ["app"]  # Celery looks for it here


class Guarded(Flower):  # type: ignore[misc]  # Flower has no types
    """Flower's application; it answers requests for other hosts with 421."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hosts = Hosts(self.options.address, Settings.from_environment().hosts)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Choose the handler; tornado calls this first for every request, static files included."""
        hosts = request.headers.get_list("Host")
        if len(hosts) == 1 and self._hosts.takes(hosts[0].encode("latin-1", "replace")):
            return super().find_handler(request, **kwargs)
        return self.get_handler_delegate(request, ErrorHandler, {"status_code": 421})


# Its command makes the application, and has no setting for this.
flower.command.Flower = Guarded
