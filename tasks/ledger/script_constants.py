"""The constants that scripts are loaded with: of probes, of pauses, of dead letters."""

from tasks.settings import Settings

PROBE_LEASE = 60.0
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
MAX_EVENTS = 10_000
"""About how many events are kept, from which a caller that reconnects can continue."""
MAX_ERRING = 10_000
"""Sticky keys that met an error which are remembered for one split; further errors are not counted,
for none of its versions."""
COMPARED_SECONDS = 30 * 86_400
"""Seconds after its last outcome for which the counts of a split are kept."""
MESSAGES_PER_STEP = 5000
"""Parked messages returned to their queue in one step, which takes about 15 ms."""
PROBING = {
    "probe_lease": PROBE_LEASE,
    "wait_remembered": WAIT_REMEMBERED,
    "slice": MESSAGES_PER_STEP,
}
"""Constants of the scripts that handle pauses."""


def dead_letter_bounds(settings: Settings) -> dict[str, float]:
    """Constants of the scripts that bury: how many letters and bytes to keep."""
    return {
        "max_published": MAX_PUBLISHED,
        "max_events": MAX_EVENTS,
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
    }
