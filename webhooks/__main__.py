"""Runs a deliverer: `python -m webhooks`. SIGTERM ends it once what it sends is sent."""

import asyncio
import signal

from tasks.ledger.ledger import Ledger, connect
from tasks.ledger.span_counts import exporter
from tasks.settings import Settings
from tasks.webhooks.outbox import Outbox
from telemetry.logs import configure
from webhooks.bodies import Bodies
from webhooks.deliverer import MOST_AT_A_TIME, Deliverer
from webhooks.sending import Sender


async def deliver(settings: Settings) -> None:
    """Build a deliverer, and run it until a signal."""
    client = connect(settings.redis_url, threads=MOST_AT_A_TIME)
    bodies, sender = Bodies(Ledger(client, settings)), Sender(settings)
    spans = exporter("webhooks", client)
    deliverer = Deliverer(Outbox(client, settings), bodies, sender, settings.home, spans)
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    await deliverer.run(over)


def main() -> None:
    """Deliver until a signal."""
    configure("webhooks")
    asyncio.run(deliver(Settings.from_environment()))


if __name__ == "__main__":
    main()
