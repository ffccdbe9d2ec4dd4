"""The fallback of a paused version answers, and the receipt says so; with real workers."""

from collections.abc import Iterator

import pytest

from registry.store import Registry
from tests.integration.damaged_versions import ROW, Artifact, fail_until_paused, post
from tests.support.models import Doubling, Lethal, described, register
from tests.support.stack import LiveStack, running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def with_fallback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """Version 2 of doubling is damaged; its fallback is version 1."""
    home = tmp_path_factory.mktemp("fallback")
    register(home, "doubling", Doubling(), [ROW], alias="fallback")
    register(home, "doubling", Lethal(), [ROW], alias="production")
    Artifact(home, "doubling:2").damage()
    with running(
        home, forks=True, PREDICTQ_BREAKER_FAILURES="1", PREDICTQ_PROBE_AFTER="300"
    ) as stack:
        fail_until_paused(stack, "doubling:2")
        yield stack


@pytest.mark.parametrize("reference", ["doubling", "doubling@production"])
def test_fallback_answers_and_is_named_in_the_receipt(with_fallback: LiveStack, reference) -> None:
    accepted = with_fallback.submit(reference, ROW)
    assert accepted["version"] == 1
    outcome = with_fallback.outcome(accepted["id"])
    assert outcome["predictions"] == [2.0]
    receipt = outcome["receipt"]
    assert (receipt["version"], receipt["alias"]) == (1, "fallback")


def test_pinned_version_has_no_fallback(with_fallback: LiveStack) -> None:
    assert post(with_fallback, "doubling:2").json()["code"] == "version_paused"


def test_fallback_may_be_paused_itself(with_fallback: LiveStack) -> None:
    with_fallback.owner.post("/models/doubling/versions/1/pause")
    refused = post(with_fallback, "doubling")
    with_fallback.owner.post("/models/doubling/versions/1/resume")
    assert (refused.status_code, refused.json()["code"]) == (503, "version_paused")
    assert post(with_fallback, "doubling").status_code == 202


def test_features_are_checked_against_the_fallbacks_signature(tmp_path, start) -> None:
    register(tmp_path, "doubling", Doubling(), [ROW], alias="fallback")
    Registry(tmp_path).add("doubling", described(b"one column"), b"one column")
    stack = start()
    stack.owner.post("/models/doubling/versions/2/pause")

    refused = post(stack, "doubling", [1.0])

    assert (refused.status_code, refused.json()["code"]) == (503, "version_paused")
    assert "doubling:2" in refused.json()["detail"]
