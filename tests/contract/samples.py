"""Today's contract as files: one message and a record in each state, of fixed content.

`python -m tests.contract.samples` keeps it as the next version in `golden/`, where versions stay
for ever: messages and records of each may still lie in somebody's Redis.
"""

from pathlib import Path

import msgspec

from tasks.arrow.stream import read_arrow
from tasks.arrow.writing import write_arrow
from tasks.messages import Prediction, envelope
from tasks.prediction import predict
from tasks.record import Receipt, Record
from tasks.wire import encode
from telemetry.errors import ModelError

GOLDEN = Path(__file__).parent / "golden"
CREATED_AT = 1_800_000_000.25
IDS = {
    "queued": "01a1fcd1-b5f1-71d9-9404-90922f7de090",
    "succeeded": "01a1fcd1-b5f1-71d9-9404-90922f7de091",
    "failed": "01a1fcd1-b5f1-71d9-9404-90922f7de092",
    "cancelled": "01a1fcd1-b5f1-71d9-9404-90922f7de093",
    "expired": "01a1fcd1-b5f1-71d9-9404-90922f7de094",
}
PREDICTION = Prediction(
    model="golden",
    version=1,
    alias="production",
    method="predict",
    features=[[1.5, 0.0], [-2.0, 7.0]],
    created_at=CREATED_AT,
)
ROWS = write_arrow({"a": [1.5, -2.0], "b": [0.0, 7.0]}, {})
IN_ARROW = msgspec.structs.replace(PREDICTION, features=read_arrow(ROWS))
"""The same rows as an Arrow stream."""
PREDICTIONS = [3.0, -4.0]
"""The doubled first column."""
RECEIPT = Receipt(
    model="golden",
    version=1,
    sha256="ab" * 32,
    alias="production",
    attempt=1,
    queue_ms=0.5,
    compute_ms=1.5,
    batch_size=2,
    runtime="scikit-learn 1.9.1",
)

TRACEBACK = "Traceback (most recent call last):\nValueError: no\n"


def today() -> dict[str, bytes]:
    """Map file names to the content that this code writes."""
    queued = {state: Record.queued(task_id, PREDICTION) for state, task_id in IDS.items()}
    records = {
        "queued": queued["queued"],
        "succeeded": queued["succeeded"].succeeded(PREDICTIONS, RECEIPT),
        "failed": queued["failed"].failed(ModelError("it raised ValueError"), 1, TRACEBACK),
        "cancelled": queued["cancelled"].cancelled(),
        "expired": queued["expired"].expired(),
    }
    files = {f"record-{state}.json": _text(record) for state, record in records.items()}
    return {"message.json": _message(PREDICTION), "message-arrow.json": _message(IN_ARROW), **files}


def versions() -> list[Path]:
    """The directories of all kept versions, the oldest first."""
    return sorted(GOLDEN.iterdir(), key=lambda path: int(path.name))


def kept(version: Path) -> dict[str, bytes]:
    """Map file names to the content that a version kept."""
    return {path.name: path.read_bytes().rstrip(b"\n") for path in version.iterdir()}


def _message(prediction: Prediction) -> bytes:
    return envelope(predict.name, IDS["queued"], "predict", prediction)


def _text(record: Record) -> bytes:
    return encode(_steady(record)) if record.is_terminal else record.open_text


def _steady(record: Record) -> Record:
    done = record.date_done and "2027-01-15T08:00:00+00:00"
    return msgspec.structs.replace(record, date_done=done)


def keep() -> None:
    """Write today's contract as the next version."""
    directory = GOLDEN / str(len(versions()) + 1)
    directory.mkdir()
    for name, content in today().items():
        (directory / name).write_bytes(content + b"\n")


if __name__ == "__main__":
    keep()
