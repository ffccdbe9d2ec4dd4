"""The header fields that tell of limits (draft-ietf-httpapi-ratelimit-headers)."""

from collections.abc import Sequence

from tasks.callers.caller import LeftOfLimit, Limits


def limit_fields(limits: Limits, left: Sequence[LeftOfLimit]) -> dict[str, str]:
    """Name → value, for the limits of which it is known what is left; empty if there is none."""
    rates = {"requests": limits.rate, "rows": limits.rows}
    known = [(each, rate) for each in left if (rate := rates[each.kind])]
    if not known:
        return {}
    policies = (f'"{each.kind}";q={int(rate.amount)};w={rate.seconds}' for each, rate in known)
    states = (f'"{each.kind}";r={each.amount};t={each.seconds}' for each, _ in known)
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(states)}
