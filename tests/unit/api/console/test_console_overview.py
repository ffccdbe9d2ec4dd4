"""The overview names what is wrong, the worst first, each with its remedy."""

from typing import Any

import pytest

from api.console.pages.overview import overview
from tests.unit.api.console.pictures import WORKER, pause, picture, queue

CANARY_INTERVAL = 15.0


def judged(outcomes: Any = None, **changed: Any) -> Any:
    return overview(picture(**changed), outcomes or {}, CANARY_INTERVAL)


def test_overview_of_a_calm_stack() -> None:
    found = judged()
    assert (found.level, found.sentence, found.concerns) == ("good", "All is well.", [])


@pytest.mark.parametrize(
    ("changed", "level", "words"),
    [
        ({"away_since": 5.0}, "bad", "Redis does not answer"),
        ({"queues": {"predict": queue(workers=[]), "bulk": queue()}}, "bad", "No worker takes"),
        (
            {"queues": {"predict": queue(), "bulk": queue(workers=[], depth=2)}},
            "bad",
            "No worker takes batch jobs",
        ),
        (
            {"queues": {"predict": queue(workers=[WORKER | {"processes": 0}]), "bulk": queue()}},
            "warn",
            "load their first models",
        ),
        ({"paused": [pause()]}, "warn", "iris:1 is paused: it raises"),
        (
            {"queues": {"predict": queue(depth=9, oldest=61.0), "bulk": queue()}},
            "warn",
            "has waited for 1.0 min",
        ),
        ({"canary_ages": {"predict": 100.0}}, "bad", "No canary"),
        ({"dead_letters": 3}, "warn", "3 dead letters"),
        (
            {"outcomes": {"iris:1": {"succeeded": 8, "failed": 2}}},
            "warn",
            "2 of the last 10 answers are failures",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_overview_names_a_concern(changed: dict[str, Any], level: str, words: str) -> None:
    found = judged(**changed)
    assert found.level == level
    assert words in found.sentence
    assert found.concerns[0].remedy


def test_overview_puts_the_worst_first() -> None:
    found = judged(
        dead_letters=1, queues={"predict": queue(workers=[]), "bulk": queue()}, paused=[pause()]
    )
    assert [concern.level for concern in found.concerns] == ["bad", "warn", "warn"]
    assert found.sentence == "No worker takes predictions. 2 more below."


def test_overview_passes_over_few_failures() -> None:
    assert judged({"iris:1": {"succeeded": 0, "failed": 2}}).level == "good"
