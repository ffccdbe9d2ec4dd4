"""The receipt that tests give their outcomes."""

from tasks.record import Receipt

RECEIPT = Receipt(
    model="m",
    version=2,
    sha256="0" * 64,
    alias=None,
    attempt=1,
    queue_ms=1.0,
    compute_ms=1.0,
    batch_size=2,
    runtime="none",
)
