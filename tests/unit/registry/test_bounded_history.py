"""A history keeps a bounded number of changes, and what the others led to."""

import pytest

from registry import history as module
from registry.changes import Changes
from registry.history import aliases_after, first_number
from registry.store import Registry


@pytest.fixture
def moved(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """An alias that never moved again, and one that moved more often than is kept."""
    monkeypatch.setattr(module, "MAX_CHANGES", 10)
    changes = Changes(registry)
    changes.set_alias("m", "still", 3)
    for number in range(25):
        changes.set_alias("m", "moving", 1 + number % 2)
    return registry


def test_history_is_bounded_and_says_what_was_dropped(moved: Registry) -> None:
    kept = moved.history("m")
    assert len(kept) <= 10
    assert kept[0].act == "dropped"
    assert kept[0].meant
    assert kept[0].meant["still"] == 3
    # Three registrations, and 26 moves.
    assert first_number(kept) + len(kept) - 1 == 29
    assert aliases_after(kept) == moved.aliases("m") == {"moving": 1, "still": 3}


def test_rollback_finds_the_version_before(moved: Registry) -> None:
    assert Changes(moved).rollback("m", "moving").version == 2
    assert "found" not in moved.history("m")[-1].why


def test_alias_of_a_dropped_change_is_deleted_once(moved: Registry) -> None:
    Changes(moved).remove_alias("m", "still")
    assert aliases_after(moved.history("m")) == {"moving": 1}
    assert [each.alias for each in moved.history("m")].count("still") == 1
