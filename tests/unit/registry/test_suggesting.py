"""A misspelt name gets similar names as suggestions, quickly."""

import pytest

from registry.names import MAX_COMPARED_NAMES, checked_name, did_you_mean
from telemetry.errors import Invalid

NAMES = ["breast-cancer", "diabetes", "iris"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("irs", "did you mean 'iris'?"),
        ("IRIS", "did you mean 'iris'?"),
        ("breast_cancer", "did you mean 'breast-cancer'?"),
        ("nobody", ""),
        ("", ""),
        ("iris" * 1000, ""),
    ],
)
def test_suggestion_is_the_nearest_name(written: str, told: str) -> None:
    assert did_you_mean(written, NAMES) == told


def test_suggestion_among_many_begins_alike() -> None:
    names = [f"{letter}-model-{number:04}" for letter in "abcdefgh" for number in range(1000)]
    told = did_you_mean("d-model-0500x", names)
    assert "'d-model-0500'" in told


def test_suggestion_compares_a_bounded_number_of_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing similar names is slow, and any caller may send misspelt ones."""
    compared: list[int] = []
    monkeypatch.setattr(
        "registry.names.get_close_matches",
        lambda written, names, most: compared.append(len(names)) or [],
    )
    for written in ("churn-x", "a", "z"):
        did_you_mean(written, [f"churn-{number}" for number in range(5000)])
    assert max(compared) <= MAX_COMPARED_NAMES


def test_suggestions_are_three_at_most() -> None:
    names = [f"churn-{number}" for number in range(2 * MAX_COMPARED_NAMES)]
    assert did_you_mean("churn", names).count("'churn-") == 3


def test_name_of_a_route_is_no_name_of_a_model() -> None:
    with pytest.raises(Invalid, match="/models/status is a route"):
        checked_name("status")
    assert checked_name("status", "alias") == "status"
    assert checked_name("status2") == "status2"
