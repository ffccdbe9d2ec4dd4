"""Runs a Celery worker: `python -m workers QUEUE --processes N --node NAME`.

`celery -A workers.app worker -Q QUEUE` does the same, except for queues of deployments, and takes
half a CPU second more: it imports all of Celery's commands, and those that Flower adds.
"""

import argparse
import sys

from celery.utils.nodenames import host_format
from kombu import Exchange, Queue

from workers.affinity import keep_to
from workers.app import app


def main() -> None:
    """Read the command line, and work until a signal."""
    parser = argparse.ArgumentParser("python -m workers", description="Run a Celery worker.")
    parser.add_argument("queue", help="its only queue")
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--node", required=True, help="name before the @ of the host")
    parser.add_argument("--processors", type=float, help="how many it may use")
    given = parser.parse_args()
    if given.processors:
        keep_to(given.processors, given.queue)
    # Not in `celeryconfig`: queues of deployments come and go.
    app.amqp.queues.add(Queue(given.queue, Exchange(given.queue), routing_key=given.queue))
    worker = app.Worker(
        hostname=host_format(f"{given.node}@%h"),
        concurrency=given.processes,
        queues=[given.queue],
        # No other workers to mingle or gossip with; skipping both saves a second at start.
        without_mingle=True,
        without_gossip=True,
        quiet=True,
    )
    worker.start()
    sys.exit(worker.exitcode)


if __name__ == "__main__":
    main()
