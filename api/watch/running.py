"""Looks regularly, until a signal ends the process."""

import logging
import os
import signal
import threading
import time
from itertools import chain
from pathlib import Path

from api.watch.notifying import Notifier
from tasks.alerts.rules.alert import all_alerts
from tasks.alerts.watching.scraping import REDIS_UP, Scraper
from tasks.alerts.watching.store import AlertStore
from tasks.alerts.watching.watch import Watch
from tasks.key_files import LOCAL_KEY
from tasks.ledger.ledger import connect

log = logging.getLogger(__name__)
LOOK_SECONDS = 5.0
"""Seconds between two looks."""


def run_watch(url: str, redis_url: str, home: Path) -> None:
    """Watch the API at this address until SIGTERM or SIGINT; ``home``: of its stack."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    notifier = Notifier.from_environment()
    log.info("watching %s; telling %s", url, ", ".join(notifier.channels) or "nobody")
    watch = watch_of(url, redis_url, notifier, scraping_key(home))
    while not ended.is_set():
        try:
            watch.look(time.time())
        except Exception:
            log.exception("the rules could not be evaluated; the next look tries again")
        ended.wait(LOOK_SECONDS)
    watch.close()


def scraping_key(home: Path) -> str:
    """The key in ``PREDICTQ_KEY``; else the local key of the home; empty if there is none."""
    if key := os.environ.get("PREDICTQ_KEY"):
        return key
    try:
        return (home / LOCAL_KEY).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def watch_of(url: str, redis_url: str, notifier: Notifier, key: str = "") -> Watch:
    """A watch of the API at this address, with its states in this Redis.

    ``key``: as of `Scraper`.
    """
    alerts = all_alerts()
    named = chain.from_iterable(alert.condition.selectors for alert in alerts.values())
    names = frozenset({REDIS_UP, *(selector.name for selector in named)})
    store = AlertStore(connect(redis_url))
    return Watch(alerts, store, Scraper(url, names, key).scrape, notifier.send)
