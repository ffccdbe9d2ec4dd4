"""Exit 0 when the Celery worker of this container answers a ping: the worker's health check."""

import socket
import sys

from tasks.app import app

own = f"celery@{socket.gethostname()}"
sys.exit(not app.control.ping(destination=[own], timeout=5))
