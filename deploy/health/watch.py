"""Health check of the watch's container: exit 0 if a watch evaluates the alert rules."""

import sys

from tasks.alerts.watching.store import AlertStore
from tasks.ledger.ledger import connect
from tasks.settings import redis_url

sys.exit(not AlertStore(connect(redis_url())).is_watched())
