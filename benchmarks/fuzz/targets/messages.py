"""Target: messages on the queue, which stock Celery producers may have sent."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from celery.worker.request import Request

from benchmarks.fuzz.target import Parse, Target, plain
from benchmarks.fuzz.targets import world
from tasks.app import app
from tasks.jobs.messages import read_step
from tasks.messages import Prediction, envelope
from tasks.prediction import predict
from tasks.wire import decode
from telemetry.errors import Malformed
from workers.celery.transport import checked_message
from workers.compute.admission import admit
from workers.compute.disposition import disposition_of
from workers.microbatch.message import read_prediction
from workers.protocol import Instruction, Item

BODIES = (
    (
        b'[[], {"model": "numbers:1", "features": [[1.0, 2.0]], "method": "predict", '
        b'"created_at": 1795982400.5}, {}]'
    ),
    (
        b'[["mixed@best", [{"age": 1, "city": null, "vip":true,"since":null,"note":NaN}]], {}, '
        b'{"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'
    ),
    b'[[], {"model": "texts:1", "features": ["a"], "alias": "best"}, {}]',
)
STEPS = (b'[[], {"job": "0199", "step": "validate"}, {}]', b'[[], {"job": "j", "step": "17"}, {}]')


def _envelopes() -> tuple[bytes, ...]:
    ours = Prediction(
        model="numbers",
        version=1,
        alias=None,
        method="predict",
        features=[[1.0, 2.0]],
        created_at=1795982400.5,
        queue_deadline=1795982460.5,
        timeout_seconds=2.5,
    )
    message = envelope(predict.name, "0199", "predict", ours)
    return message, message.replace(b'"eta":null', b'"eta":"2026-11-29T10:00:00+01:00"')


def _envelope(home: Path) -> Parse:
    registry = world.registry(home)

    def deliver(content: bytes) -> object:
        try:
            return read_prediction(*_received(content), registry)
        except (OSError, MemoryError, Malformed):
            raise
        except Exception as error:  # like `workers.celery.transport`, which buries such a message
            raise Malformed(str(error)) from error

    return deliver


def _received(content: bytes) -> tuple[Any, Request]:
    payload = checked_message(decode(content))
    message = SimpleNamespace(
        headers=payload["headers"],
        properties=payload["properties"],
        delivery_info=payload["properties"].get("delivery_info"),
        body=payload["body"],
        content_type=payload.get("content-type"),
        content_encoding=payload.get("content-encoding"),
        delivery_tag="tag",
    )
    options = {"body": ((), {}, {}), "headers": message.headers, "decoded": True}
    return message, Request(message, app=app, task=predict, hostname="here", **options)


def _checked(home: Path) -> Parse:
    registry = world.registry(home)

    def read(content: bytes) -> object:
        item = Item("tag", "id", "application/json", content, None, Instruction.COMPUTE, 300.0)
        read = admit(registry, item, 1)  # must never raise: a bad request must not affect others
        return disposition_of(read, 1) if not hasattr(read, "rows") else read

    return read


TARGETS = (
    Target("message", _envelopes(), _envelope),
    Target("body of a message", BODIES, _checked),
    plain("step of a job", STEPS, read_step),
)
