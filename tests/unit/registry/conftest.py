"""A registry with three versions of a model."""

from pathlib import Path

import pytest

from registry.store import Registry
from tests.support.models import described


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path)
    for artifact in (b"one", b"two", b"three"):
        registry.add("m", described(artifact), artifact)
    return registry
