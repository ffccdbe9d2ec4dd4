"""A batcher on stand-ins: a pool whose processes finish on command, and no Celery."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any

from tasks.time_limits import MAX_RUN_SECONDS
from workers.microbatch.batch_size import MAX_ROWS, BatchSize
from workers.microbatch.batcher import Batcher
from workers.microbatch.crashes import Crashes
from workers.microbatch.registry_outage import RegistryOutage
from workers.protocol import Disposition, DispositionKind, Done, Instruction, Microbatch


class Process:
    """A pool process that finishes or dies on command."""

    pid = 1
    frozen = False
    busy_seconds = 0.0
    """Set by tests."""

    def __init__(self) -> None:
        self.batch: Microbatch | None = None
        self.is_killed = False

    @property
    def idle(self) -> bool:
        return self.batch is None

    def take(self, batch: Microbatch, finished: Any) -> None:
        assert self.idle
        self.batch, self._finished = batch, finished

    def finish(self, kind: DispositionKind = "succeeded", seconds: float = 1e-6) -> None:
        assert self.batch
        dispositions = [Disposition(kind) for _ in self.batch.items]
        self.batch = None
        self._finished(Done(dispositions, seconds))

    def kill(self) -> None:
        self.is_killed = True

    def die(self) -> None:
        self.batch = None
        self._finished(None)


class Pool:
    """``count`` processes that hold every version but `loading:1`."""

    def __init__(self, count: int) -> None:
        self.processes = [Process() for _ in range(count)]

    def can_serve(self, reference: str | None) -> bool:
        return reference != "loading:1"

    @property
    def has_idle(self) -> bool:
        return any(process.idle for process in self.processes)

    @property
    def has_spare(self) -> bool:
        free = sum(process.idle for process in self.processes)
        return free > 1 or len(self.processes) == 1

    def idle(self, reference: str | None) -> Process | None:
        if not self.can_serve(reference):
            return None
        return next((process for process in self.processes if process.idle), None)


class EventRecorder:
    """Records the events that the batcher sends."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def received(self, request: Any) -> None:
        self.said.append(("received", request.id))

    def started(self, request: Any, pid: int) -> None:
        self.said.append(("started", request.id))

    def finished(self, request: Any, disposition: Disposition, seconds: float) -> None:
        self.said.append((disposition.kind, request.id))


class Judge:
    """Decides about messages whose process died, as a test told it to."""

    def __init__(self) -> None:
        self.kind: DispositionKind | None = None
        self.is_sparing = False
        self.spared: list[str] = []

    def judge(self, message: Any) -> DispositionKind | None:
        return self.kind

    def spare(self, messages: list[Any]) -> bool:
        self.spared += [message.tag for message in messages]
        return self.is_sparing


def quick() -> BatchSize:
    """The batch size of a model known to be quick for any number of rows."""
    batch_size = BatchSize()
    batch_size.learn(1, 1e-6)
    batch_size.learn(MAX_ROWS, 1e-6)
    return batch_size


class Bench:
    """A batcher on stand-ins; if warm, it has measured that its models are quick."""

    def __init__(self, processes: int = 1, *, warm: bool = True) -> None:
        self.pool, self.events = Pool(processes), EventRecorder()
        self.judge, self.reminders = Judge(), []
        self.registry_is_away = False
        self.registry_outage = RegistryOutage(lambda: self.registry_is_away)
        self.batcher = Batcher(
            self.pool,
            self.events,
            crashes=Crashes(
                self.events,
                retry_or_fail=self.judge.judge,
                return_uncharged=self.judge.spare,
            ),
            registry_outage=self.registry_outage,
            remind=lambda: self.reminders.append("in a moment"),
        )
        self.batch_sizes = self.batcher._batch_sizes
        if warm:
            self.batch_sizes._sizes.default_factory = quick
            self.batch_sizes.latest_rows = MAX_ROWS

    def add(self, *names: str, **fields: Any) -> None:
        for name in names:
            self.batcher.add(message(name, **fields))

    def dispatch(self) -> list[list[str]]:
        """Dispatch, and return the names in each process's microbatch."""
        self.batcher.dispatch()
        batches = [process.batch for process in self.pool.processes if process.batch]
        return [[item.id for item in batch.items] for batch in batches]

    def turn(self) -> list[str]:
        """Dispatch and finish the only process's next microbatch; returns its names."""
        ((*names,),) = self.dispatch()
        self.pool.processes[0].finish()
        return names


def message(
    name: str,
    model: str | None = "m:1",
    method: str = "predict",
    rows: int = 1,
    body: bytes = b"-",
    limit: float = MAX_RUN_SECONDS,
    expires: datetime | None = None,
    is_step: bool = False,
) -> Any:
    request = SimpleNamespace(id=name, expires=expires)
    return SimpleNamespace(
        is_started=False,
        is_step=is_step,
        tag=f"tag {name}",
        body=body,
        content_type="application/json",
        reference=model,
        method=method,
        rows=rows,
        request=request,
        instruction=Instruction.COMPUTE,
        limit=limit,
        traceparent="",
    )
