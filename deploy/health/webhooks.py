"""Health check of the deliverer: exit 0 unless an event has been due for a minute."""

import sys

from tasks.ledger.ledger import connect
from tasks.settings import Settings
from tasks.webhooks.outbox import HOLD_SECONDS, webhook_totals

totals = webhook_totals(connect(Settings.from_environment().redis_url))
sys.exit(totals.overdue_seconds > HOLD_SECONDS)
