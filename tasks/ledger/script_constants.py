"""The constants that scripts are loaded with: of probes, of pauses, of dead letters."""

from tasks.settings import Settings

PROBE_TIMEOUT = 60.0
"""Seconds after which a new probe is sent if one has not settled."""
MINUTE = 60.0
"""Seconds during which dead letters are counted together."""
MAX_PROBE_WAIT = 300.0
"""Most seconds between two probes; each failed probe doubles the wait."""
WAIT_REMEMBERED = 600
"""Seconds for which the wait of an ended pause is remembered, so that it doubles in the next pause;
also the most seconds between failures that count as consecutive."""
MAX_PUBLISHED = 2**16
"""Longest outcome in bytes that is published to the process that waits for it. Each process on
whose channel it is published would have to read it."""
MAX_WEBHOOKS = 100_000
"""Most webhooks whose prediction is open or whose events are not delivered; beyond that,
submissions with a webhook are refused."""
MAX_EVENTS = 10_000
"""About how many events are kept, from which a caller that reconnects can continue."""
MAX_ERRING = 10_000
"""Sticky keys that met an error which are remembered for one split; further errors are not counted,
for none of its versions."""
COMPARED_SECONDS = 30 * 86_400
"""Seconds after its last outcome for which the counts of a split are kept."""
JOIN_SECONDS = 60
"""Seconds from the acceptance of a leader for which others join it."""
MAX_JOINED_SECONDS = 600
"""Seconds after which predictions that joined a leader are computed themselves: it may be gone."""
MAX_JOINED = 256
"""Most predictions that join one leader: they are answered in one script."""
MAX_LEADERS = 128
"""Most leaders that are joined at a time."""
MAX_JOINED_BYTES = 2**14
"""Longest message of a prediction that joins, in bytes. With the other bounds: 512 MiB in all."""
MAX_REUSE_SECONDS = 3600
"""Most seconds for which an answer is reused by what it cost."""
MAX_REUSED_BYTES = 2**20
"""Longest outcome that is reused, in bytes: Redis serves nothing else while it is copied."""
MAX_TENANTS_COUNTED = 50
"""Most tenants that have counts, and so labels of metrics, of their own."""
MESSAGES_PER_STEP = 5000
"""Parked messages returned to their queue in one step, which takes about 15 ms."""
MOVED_FLOWS = 100
"""Messages of flows that are moved to their queue's own list if that is empty."""
PROBING = {
    "probe_timeout": PROBE_TIMEOUT,
    "wait_remembered": WAIT_REMEMBERED,
    "slice": MESSAGES_PER_STEP,
}
"""Constants of the scripts that handle pauses."""
REUSING = {
    "max_published": MAX_PUBLISHED,
    "max_events": MAX_EVENTS,
    "join_seconds": JOIN_SECONDS,
    "max_joined_seconds": MAX_JOINED_SECONDS,
    "max_joined": MAX_JOINED,
    "max_leaders": MAX_LEADERS,
    "max_joined_bytes": MAX_JOINED_BYTES,
    "max_reuse_seconds": MAX_REUSE_SECONDS,
    "max_reused_bytes": MAX_REUSED_BYTES,
}
"""Constants of the scripts that let predictions reuse answers."""
MAX_HEARTBEAT_AGE = 5.0
"""Seconds since the last heartbeat of a worker after which no message is handed over to it."""
ACCEPTING = {
    **PROBING,
    **REUSING,
    "max_webhooks": MAX_WEBHOOKS,
    "max_heartbeat_age": MAX_HEARTBEAT_AGE,
    "moved_flows": MOVED_FLOWS,
}
"""Constants of accept.lua."""


def dead_letter_bounds(settings: Settings) -> dict[str, float]:
    """Constants of the scripts that bury: how many letters and bytes to keep."""
    return {
        **REUSING,
        "max_dead_letters": settings.max_dead_letters,
        "max_dead_letter_bytes": settings.max_dead_letter_bytes,
    }


def breaker_limits(settings: Settings) -> dict[str, float]:
    """Constants of settle.lua, which pauses versions that fail too often."""
    return {
        **PROBING,
        "minute": MINUTE,
        "max_probe_wait": MAX_PROBE_WAIT,
        **dead_letter_bounds(settings),
        "dead_letters_per_minute": settings.dead_letters_per_minute,
        "breaker_failures": settings.breaker_failures,
        "probe_after": settings.probe_after,
        "max_erring": MAX_ERRING,
        "compared_seconds": COMPARED_SECONDS,
        "max_tenants_counted": MAX_TENANTS_COUNTED,
    }
