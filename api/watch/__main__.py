"""Runs a watch: ``python -m api.watch URL``, with the address of the API."""

import sys

from api.watch.running import run_watch
from tasks.settings import Settings
from telemetry.logs import configure

configure("watch")
settings = Settings.from_environment()
run_watch(sys.argv[1], settings.redis_url, settings.home)
