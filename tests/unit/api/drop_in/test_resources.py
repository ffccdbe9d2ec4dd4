"""Resources as hand-written services give them."""

from typing import Any

import pytest

from api.drop_in.resources import read_resources, unknown_resources
from registry.deployments.deployment import Scaling
from telemetry.errors import Invalid


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (
            {"cpu_limit": "500m", "memory_limit": "512Mi"},
            Scaling(cpu_limit=0.5, memory_limit=2**29),
        ),
        ({"cpu_limit": 2, "timeout": "30"}, Scaling(cpu_limit=2.0, timeout=30.0)),
        ({"memory_limit": "2G"}, Scaling(memory_limit=2 * 10**9)),
        ({"memory_limit": "64Mi", "timeout": 900}, Scaling(memory_limit=2**28, timeout=300.0)),
        ({"cpu_limit": None, "gpu": 1}, Scaling()),
    ],
)
def test_resources_become_limits(given: dict[str, Any], read: Scaling) -> None:
    assert read_resources(given) == read


def test_fields_without_effect_are_told() -> None:
    assert unknown_resources({"gpu": 1, "timeout": 3}) == ("gpu",)


@pytest.mark.parametrize("value", ["many", "1 core", True, [1], "1e999"])
def test_what_is_no_quantity_is_refused(value: Any) -> None:
    with pytest.raises(Invalid, match="is not a quantity"):
        read_resources({"cpu_limit": value})
