"""The services of a worker: every object that outlives a connection, built once."""

from functools import partial

from registry.store import RECHECK_INTERVAL, Registry
from tasks.ledger.dead_letters.burial import Burial
from tasks.ledger.ledger import Ledger, connect
from tasks.ledger.queue.directives import Directives
from tasks.ledger.queue.reservations import Reservations
from tasks.ledger.span_counts import exporter
from tasks.settings import Settings
from workers.directives.carrying_out import DirectiveRunner
from workers.handover import Handover
from workers.heartbeat import Heartbeat
from workers.microbatch.batcher import Batcher
from workers.microbatch.cancelled_runs import CancelledRuns
from workers.microbatch.crash_retry import retry_or_fail, return_uncharged
from workers.microbatch.crashes import Crashes
from workers.microbatch.events import EventSender
from workers.microbatch.intake import Intake
from workers.microbatch.registry_outage import RegistryOutage
from workers.models.resolving import is_away
from workers.pool.listener import Listener
from workers.pool.load_retry import LoadRetry
from workers.pool.pools import Pools

CLIENT_TIMEOUT = 5
"""Seconds. If the answer to a reservation were given up sooner, its messages would come late."""
REDIS_THREADS = 5
"""Threads that ask Redis: the event loop, the watchdog, and those that sweep, carry rollouts on,
and record the timeline."""


class WorkerServices:
    """The objects that Celery's side of a worker shares. Redis need not answer yet.

    What belongs to one connection comes later: `workers.celery.consumer` attaches it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.client = connect(settings.redis_url, CLIENT_TIMEOUT, REDIS_THREADS)
        self.ledger = Ledger(self.client, settings)
        self.reservations = Reservations(
            self.client, settings.visibility_timeout, settings.result_ttl
        )
        self.burial = Burial(self.client, settings)
        self.spans = exporter("worker", self.client)
        self.registry = Registry(settings.home, RECHECK_INTERVAL)
        load_retry = LoadRetry(self.registry)
        self.pool = Pools(load_retry, self.registry)
        directives = DirectiveRunner(Directives(self.client), self.pool, load_retry)
        self.intake, self.events = Intake(), EventSender()
        self.registry_outage = RegistryOutage(partial(is_away, self.registry))
        note_spans = self.spans.add if self.spans else lambda _: None
        self.batcher = Batcher(
            self.pool,
            self.events,
            crashes=Crashes(
                self.events,
                retry_or_fail=partial(retry_or_fail, self.ledger, note_spans=note_spans),
                return_uncharged=partial(return_uncharged, self.reservations),
            ),
            registry_outage=self.registry_outage,
            remind=self.intake.take_soon,
            note_spans=note_spans,
        )
        told = directives.advance, self.batcher.work
        self.heartbeat = Heartbeat(self.client, self.pool, *told)
        self.handover = Handover(settings.redis_url, self.reservations, self.batcher, self.pool)
        self.cancelled_runs = CancelledRuns(self.ledger, self.batcher)

    def start_pool(self, size: int, queue: str) -> None:
        """Start ``size`` pool processes, and have what is built over them hear what they do."""
        beat, take, fail = self.heartbeat.beat, self.intake.take, self.batcher.fail_waiting_for
        self.pool.start(size, queue, Listener(on_ready=beat, on_idle=take, on_hang=fail))
