"""An outcome that is to be written."""

import msgspec

from tasks.record import Record


class Settled(msgspec.Struct, frozen=True):
    """An outcome, and the message that it settles."""

    record: Record
    tag: str | None = None
    """Tag of the reservation; None if the message is still queued or does not exist."""
    dead_after: int | None = None
    """Attempts made, if the message becomes a dead letter; None if it does not."""

    @property
    def rows(self) -> int:
        """Rows answered."""
        return len(self.record.result) if self.record.state == "succeeded" else 0
