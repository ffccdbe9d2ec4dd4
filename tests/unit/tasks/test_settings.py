"""Settings: defaults, and values from the environment."""

import pytest

from tasks.settings import Settings


def test_queue_bounds_are_half_a_million_rows_or_a_gigabyte_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings.from_environment()
    assert (settings.max_queued, settings.max_queued_bytes) == (500_000, 2**30)

    monkeypatch.setenv("PREDICTQ_MAX_QUEUED", "7")
    monkeypatch.setenv("PREDICTQ_MAX_QUEUED_BYTES", "8")

    settings = Settings.from_environment()
    assert (settings.max_queued, settings.max_queued_bytes) == (7, 8)
