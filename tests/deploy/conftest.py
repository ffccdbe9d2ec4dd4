"""The compose file as Compose itself understands it."""

import json
from typing import Any

import pytest
from deployment import run


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    """The parsed file with every profile enabled and every default filled in."""
    answer = run("docker-compose", "--profile", "*", "config", "--format", "json")
    assert answer.returncode == 0, answer.stderr
    parsed: dict[str, Any] = json.loads(answer.stdout)
    return parsed
