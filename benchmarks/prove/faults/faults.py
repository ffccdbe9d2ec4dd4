"""The list of faults."""

from collections.abc import Callable

import msgspec

from benchmarks.prove.faults import strikes
from benchmarks.prove.faults.strikes import Target


class Fault(msgspec.Struct, frozen=True):
    """One kind of fault; `strike` injects it, and returns when it is over."""

    what: str
    strike: Callable[[Target], None]
    naive: bool = True
    """Whether it applies to the naive design."""


FAULTS: dict[str, Fault] = {
    "worker-killed": Fault(
        "SIGKILL of a worker, alone or with all its processes", strikes.kill_worker
    ),
    "child-killed": Fault("SIGKILL of a process that computes", strikes.kill_child),
    "forkserver-killed": Fault("SIGKILL of a fork server", strikes.kill_fork_server, naive=False),
    "api-killed": Fault("SIGKILL of the HTTP server, or of a process of it", strikes.kill_api),
    "worker-stopped": Fault("SIGTERM of a worker", strikes.stop_worker),
    "worker-frozen": Fault(
        "SIGSTOP of a worker, alone or with its processes, for longer than the visibility timeout",
        strikes.freeze_worker,
    ),
    "webhooks-killed": Fault(
        "SIGKILL of the process that sends webhook events", strikes.kill_deliverer, naive=False
    ),
    "redis-killed": Fault("SIGKILL of Redis", strikes.kill_redis),
    "redis-frozen": Fault("SIGSTOP of Redis, 1 to 6 s", strikes.freeze_redis),
    "redis-full": Fault("maxmemory lowered to what is used, 1 to 4 s", strikes.fill_redis),
    "link-cut": Fault("all connections to Redis cut, up to five times", strikes.cut),
    "link-refused": Fault("the same, and new ones refused, for up to 3 s", strikes.refuse),
    "link-delayed": Fault("each piece to and from Redis delayed by up to 1.5 s", strikes.delay),
    "link-half-closed": Fault(
        "answers of Redis end, what is sent to it arrives", strikes.half_close
    ),
    "poison": Fault("a dozen messages that cannot be read, pushed on the queue", strikes.poison),
    "model-crashes": Fault(
        "up to three rows that SIGKILL the process that computes", strikes.crash_model
    ),
    "model-hangs": Fault("a row that takes longer than the visibility timeout", strikes.hang_model),
    "model-leaks": Fault(
        "thirty rows of which each leaks 16 MB, with an end at 256 MB", strikes.leak_model
    ),
    "clock-skewed": Fault(
        "a worker starts again with its clock shifted, by up to 1 h", strikes.skew_clock
    ),
}
