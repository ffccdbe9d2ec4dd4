"""Runs a watch: ``python -m api.watch URL``, with the address of the API."""

import sys

from api.watch.running import run_watch
from tasks.settings import redis_url
from telemetry.logs import configure

configure("watch")
run_watch(sys.argv[1], redis_url())
