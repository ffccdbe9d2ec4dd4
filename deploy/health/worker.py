"""Health check of the worker container: exit 0 if its Celery worker answers a ping."""

import socket
import sys

from tasks.app import app

own = f"celery@{socket.gethostname()}"
sys.exit(not app.control.ping(destination=[own], timeout=5))
