"""What the processes do for a prediction where traces are concerned, in one process."""

import time
from typing import Any

import msgspec
from msgspec.structs import replace

from tasks.callers.caller import LOCAL_CALLER
from tasks.ledger.predictions.acceptance import Offer
from tasks.ledger.predictions.sent import read_accept_answers
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.queue.bounds import Bounds
from tasks.messages import PREDICT_TASK, Prediction, envelope
from tasks.record import Receipt, Record
from telemetry.tracing.exporter import Exporter
from telemetry.tracing.span import TraceSpan
from telemetry.tracing.traceparent import TRACEPARENT, sampled_context
from telemetry.tracing.tracer import Tracer
from workers.compute.spans import spans_of
from workers.protocol import Done, Instruction, Item, framed, parse_frame

MICROBATCH = 64
HEADERS = [
    (b"host", b"127.0.0.1:5000"),
    (b"user-agent", b"predictq"),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip"),
    (b"content-type", b"application/json"),
    (b"content-length", b"64"),
]
BOUNDS = Bounds(10**6, 10**9)
QUEUE = "predict"


class Predictions:
    """Submits, takes and settles predictions; Redis, HTTP and the model are left out."""

    def __init__(self, tracer: Tracer | None, exporter: Exporter) -> None:
        """``tracer``: None without traces."""
        self._tracer, self._exporter, self._number = tracer, exporter, 0

    def microbatch(self) -> None:
        """One microbatch, from its submissions to its outcomes."""
        began = time.time()
        items = [self._taken(self._submitted()) for _ in range(MICROBATCH)]
        outcomes = {item.tag: Settled(_outcome(item), item.tag) for item in items}
        spans: list[TraceSpan] = []
        if any(item.traceparent for item in items):
            spans = spans_of(items, [1] * MICROBATCH, outcomes, (began, time.time()))
        done = parse_frame(framed(Done([], 0.01, spans=spans))[8:])
        if done.spans:
            self._exporter.add(done.spans)

    def _submitted(self) -> bytes:
        caller, self._number = LOCAL_CALLER, self._number + 1
        if self._tracer is not None:
            sending = self._tracer.begin(HEADERS)
            caller = caller if sending is None else replace(caller, sending=sending)
        prediction = Prediction(
            model="churn",
            version=3,
            alias="production",
            method="predict",
            features=[[5.1, 3.5, 1.4, 0.2]],
            created_at=time.time(),
            sending=caller.sending and caller.sending.another(),
        )
        task_id = f"01a22dd7-5f95-768c-a55f-{self._number:012x}"
        record = Record.queued(task_id, prediction)
        message = envelope(PREDICT_TASK, task_id, QUEUE, prediction)
        offer = Offer(QUEUE, record, message, 1, sending=prediction.sending)
        read_accept_answers([task_id.encode()], [offer], BOUNDS)
        return message

    def _taken(self, message: bytes) -> Item:
        read: dict[str, Any] = msgspec.json.decode(message)
        headers, task_id, told = read["headers"], read["headers"]["id"], ""
        if self._tracer is not None and (header := headers.get(TRACEPARENT)):
            told = header if sampled_context(header) else ""
        tag = f"{QUEUE}:1:{task_id}"
        return Item(
            *(tag, task_id, read["content-type"], read["body"].encode()),
            *(None, Instruction.COMPUTE, 300.0),
            traceparent=told,
        )


def _outcome(item: Item) -> Record:
    record = Record.read(item.id, None, item.traceparent)
    receipt = Receipt(
        model="churn",
        version=3,
        sha256="",
        alias=None,
        attempt=1,
        queue_ms=1.0,
        compute_ms=2.0,
        batch_size=MICROBATCH,
        runtime="",
    )
    return record.succeeded([0], receipt)
