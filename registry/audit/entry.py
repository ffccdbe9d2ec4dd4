"""One line of the audit log."""

from hashlib import sha256

import msgspec

NO_LINE = ""
"""The hash before the first line of a log."""


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A request that changes something or was refused, and its answer. It holds no body."""

    time: str
    """RFC 3339, UTC."""
    caller: str
    """The name of the key; empty for a caller without one, and for a key that was not accepted."""
    key: str
    """The id of the key that was presented, also of one that was not accepted."""
    tenant: str
    method: str
    path: str
    """The first 200 characters, without the query."""
    status: int
    """The HTTP status of the answer."""
    address: str
    request_id: str
    """`X-Request-Id`, as a proxy sets it; empty without one."""
    unrecorded: int = 0
    """Refusals since the previous entry that were not recorded, as the log takes only some each
    second."""


class AuditLine(AuditEntry, frozen=True, kw_only=True):
    """An entry in its place in the log."""

    id: int
    """Counted from 1, the first line that ever was."""
    before: str
    """SHA-256 of the line before, in hexadecimal; empty for the first one."""


def hash_of(line: bytes) -> str:
    """The `before` of the next line; ``line`` is without its end."""
    return sha256(line).hexdigest()
