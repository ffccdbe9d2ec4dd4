"""The overview says what the watch has found, the worst first, each with remedy and runbook."""

from typing import Any

from api.console.pages.overview import overview
from tests.unit.api.console.pictures import alert, picture


def judged(**changed: Any) -> Any:
    return overview(picture(**changed))


def test_overview_of_a_calm_stack() -> None:
    found = judged()
    assert (found.level, found.sentence, found.concerns) == ("good", "All is well.", [])


def test_alert_that_fires_is_a_concern_by_its_severity() -> None:
    found = judged(alerts=[alert("dead-letters", value=3)])
    assert (found.level, found.sentence) == ("warn", "Dead letters are kept: 3.")
    assert found.concerns[0].link == "/console/dead-letters"
    assert found.concerns[0].runbook == "dead-letters"
    assert "replay" in found.concerns[0].remedy
    assert judged(alerts=[alert("no-worker")]).level == "bad"


def test_pending_alert_warns_at_once_and_says_when_it_will_fire() -> None:
    found = judged(alerts=[alert("no-worker", level="pending", since=970.0)])
    assert (found.level, found.sentence) == (
        "warn",
        "No worker takes predictions (an alert after 1m).",
    )


def test_labels_of_an_alert_are_named_and_lead_to_its_page() -> None:
    labels = (("model", "iris"), ("version", "1"))
    (concern,) = judged(alerts=[alert("version-paused", labels=labels)]).concerns
    assert concern.what.startswith("iris:1 is paused")
    assert concern.link == "/console/models/iris"


def test_overview_puts_the_worst_first() -> None:
    found = judged(alerts=[alert("dead-letters"), alert("no-worker"), alert("disk-low")])
    assert [concern.level for concern in found.concerns] == ["bad", "warn", "warn"]
    assert found.sentence == "No worker takes predictions. 2 more below."


def test_stack_without_a_watch_is_not_well() -> None:
    found = judged(is_watched=False)
    assert (found.level, found.concerns[0].runbook) == ("warn", "")
    assert "No watch" in found.sentence


def test_redis_away_is_told_in_the_words_of_its_rule() -> None:
    found = judged(away_since=5.0, alerts=[alert("dead-letters")])
    assert [concern.runbook for concern in found.concerns] == ["redis-down"]
    assert found.level == "bad"
