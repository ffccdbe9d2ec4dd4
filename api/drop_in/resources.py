"""Resources as hand-written services and Kubernetes write them: `0.5`, `500m`, `512Mi`, `"30"`."""

import math
import re
from typing import Any

from api.http.conversion import converted
from api.http.forms import invalid_field
from registry.deployments.deployment import MIN_PROCESS_BYTES, Scaling
from tasks.time_limits import MAX_RUN_SECONDS

_quantity = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(m|[KMGT]i?B?|[kB])?", re.ASCII)
GREATEST_QUANTITY = 2.0**60
"""Greatest quantity; what a deployment may have is checked afterwards."""
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}
_READ = ("cpu_limit", "memory_limit", "timeout")


def read_resources(given: dict[str, Any]) -> Scaling:
    """The limits among resources, within our bounds; raises `Invalid` if one is no quantity."""
    found = {name: _number(name, given[name]) for name in _READ if given.get(name) is not None}
    # A small container needs more here, where the limit is what a process adds to the model.
    if "memory_limit" in found:
        found["memory_limit"] = max(round(found["memory_limit"]), MIN_PROCESS_BYTES)
    if "timeout" in found:
        found["timeout"] = min(found["timeout"], MAX_RUN_SECONDS)
    return converted(found, Scaling)


def unknown_resources(given: dict[str, Any]) -> tuple[str, ...]:
    """The names of resources that have no effect."""
    return tuple(name for name in given if name not in _READ)


def _number(name: str, value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    found = value if is_number else _quantity_of(value) if isinstance(value, str) else math.nan
    # Also false for "not a number".
    if not 0 <= found <= GREATEST_QUANTITY:
        raise invalid_field(f"resources.{name}", f"{str(value)[:100]!r} is not a quantity")
    return found


def _quantity_of(text: str) -> float:
    match = _quantity.fullmatch(text.strip())
    return float(match[1]) * _unit(match[2] or "") if match else math.nan


def _unit(suffix: str) -> float:
    if suffix == "m":
        return 0.001
    power = _POWERS.get(suffix[:1].upper(), 0)
    return float((1024 if "i" in suffix else 1000) ** power)
