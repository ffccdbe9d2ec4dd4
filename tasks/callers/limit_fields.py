"""The header fields that tell of limits (draft-ietf-httpapi-ratelimit-headers)."""

from collections.abc import Sequence

from tasks.callers.caller import LeftOfLimit, Limits


def limit_fields(limits: Limits, left: Sequence[LeftOfLimit]) -> dict[str, str]:
    """Name → value, for the limits of which it is known what is left; empty if there is none."""
    policies = _policies(limits)
    known = [each for each in left if each.kind in policies]
    if not known:
        return {}
    states = (f'"{each.kind}";r={each.amount};t={each.seconds}' for each in known)
    named = (f'"{each.kind}";{policies[each.kind]}' for each in known)
    return {"RateLimit-Policy": ", ".join(named), "RateLimit": ", ".join(states)}


def _policies(limits: Limits) -> dict[str, str]:
    rates = {"requests": limits.rate, "rows": limits.rows}
    told = {kind: f"q={int(rate.amount)};w={rate.seconds}" for kind, rate in rates.items() if rate}
    if limits.in_flight is not None:
        told["in_flight"] = f'q={limits.in_flight};qu="concurrent-requests"'
    return told
