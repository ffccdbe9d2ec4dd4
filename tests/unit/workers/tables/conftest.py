"""A fixture for property tests whose examples are files."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def new_directory(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes a directory for an example; pytest's way to make one costs more the more there are."""
    examples = tmp_path_factory.mktemp("examples")
    return lambda: Path(tempfile.mkdtemp(dir=examples))
