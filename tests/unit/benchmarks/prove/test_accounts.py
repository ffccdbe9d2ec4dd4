"""The accounts of the proof find all that is missing, wrong or doubled in the evidence."""

from collections import Counter
from collections.abc import Callable

import msgspec
import pytest

from benchmarks.prove.evidence import Accounts, Answer, Asked, Event, Evidence, account
from benchmarks.prove.witness import CALM, CRASHES, HANGS, LEAKS, RAISES

COUNT = 100
ENDINGS = {
    7: (Asked(7, RAISES), Answer("failed", code="model_error")),
    8: (Asked(8, CRASHES), Answer("failed", code="worker_lost")),
    9: (Asked(9, cancelled=True), Answer("cancelled")),
    10: (Asked(10, queue_seconds=1.0), Answer("expired")),
    11: (Asked(11, has_webhook=True), Answer("succeeded", [[11.0, 11 / 3]])),
    12: (Asked(12, RAISES, has_webhook=True), Answer("failed", code="model_error")),
}
INNOCENT = "id-50"


def told(number: int) -> list[list[float]]:
    return [[float(number), number / 3]]


@pytest.fixture
def evidence() -> Evidence:
    """Evidence of a run without faults; each outcome was seen twice."""
    ends = {n: (Asked(n), Answer("succeeded", told(n))) for n in range(COUNT)} | ENDINGS
    return Evidence(
        accepted={f"id-{n}": asked for n, (asked, _) in ends.items()},
        answers={f"id-{n}": [answer, answer] for n, (_, answer) in ends.items()},
        told={n: told(n) for n in range(COUNT)},
        computed=Counter(dict.fromkeys(range(COUNT), 1)),
        outcomes_written=COUNT,
        outcomes_kept=COUNT,
        events={
            "id-11": [Event("prediction.succeeded", told(11))] * 2,
            "id-12": [Event("prediction.failed")],
        },
    )


def test_sound_evidence_has_no_findings(evidence: Evidence) -> None:
    found = account(evidence)
    assert set(found.faults.values()) == {0}
    assert found.adds_up
    assert (found.succeeded, found.failed, found.cancelled, found.expired) == (95, 3, 1, 1)
    assert found.events == 3
    assert found.computed_again == 0


def test_row_of_another_request_has_its_answer(evidence: Evidence) -> None:
    evidence.accepted[INNOCENT] = Asked(50, row_of=20)
    assert account(evidence).wrong == [INNOCENT]
    evidence.answers[INNOCENT] = [Answer("succeeded", told(20))]
    assert account(evidence).wrong == []


def test_refused_row_may_be_computed_for_another_request(evidence: Evidence) -> None:
    evidence.refused, evidence.computed[200] = frozenset({200}), 1
    assert account(evidence).stolen == [200]
    evidence.accepted[INNOCENT] = Asked(50, row_of=200)
    evidence.told = {**evidence.told, 200: told(200)}
    assert account(evidence).stolen == []


def answers(*given: Answer) -> Callable[[Evidence], None]:
    def mutate(evidence: Evidence) -> None:
        evidence.answers[INNOCENT] = list(given)

    return mutate


def forget(evidence: Evidence) -> None:
    del evidence.answers[INNOCENT]


def accept_twice(evidence: Evidence) -> None:
    evidence.accepted["id-again"] = Asked(50)
    evidence.answers["id-again"] = evidence.answers[INNOCENT]


def swap(evidence: Evidence) -> None:
    """Swap the answers of two callers."""
    one, other = evidence.answers["id-50"], evidence.answers["id-51"]
    evidence.answers["id-50"], evidence.answers["id-51"] = other, one


def let_a_deadly_row_succeed(evidence: Evidence) -> None:
    evidence.answers["id-8"] = [Answer("succeeded", told(8))]


def leave_one_stranded(evidence: Evidence) -> None:
    evidence.turned_up = {"id-200": Asked(200)}


def compute_what_was_refused(evidence: Evidence) -> None:
    evidence.refused, evidence.computed[201] = frozenset({200, 201}), 1


def write_twice(evidence: Evidence) -> None:
    evidence.outcomes_written = COUNT + 1


def lose_an_event(evidence: Evidence) -> None:
    evidence.events = {"id-11": evidence.events["id-11"]}


def tell_another_outcome(evidence: Evidence) -> None:
    evidence.events["id-12"].append(Event("prediction.expired"))


def tell_another_answer(evidence: Evidence) -> None:
    evidence.events["id-11"].append(Event("prediction.succeeded", told(12)))


RIGHT = Answer("succeeded", told(50))
ALMOST = Answer("succeeded", [[50.0, 50 / 3 + 1e-14]])


@pytest.mark.parametrize(
    ("mutate", "name", "count"),
    [
        pytest.param(forget, "lost", 1, id="no answer"),
        pytest.param(answers(RIGHT, Answer("lost")), "lost", 1, id="the record is gone"),
        pytest.param(answers(Answer("open")), "lost", 1, id="never settled"),
        pytest.param(answers(ALMOST, ALMOST), "wrong", 1, id="another last bit"),
        pytest.param(answers(Answer("succeeded", [])), "wrong", 1, id="a row too few"),
        pytest.param(swap, "wrong", 2, id="answers of another"),
        pytest.param(let_a_deadly_row_succeed, "wrong", 1, id="what cannot succeed"),
        pytest.param(answers(Answer("failed")), "failed innocently", 1, id="failed"),
        pytest.param(answers(Answer("expired")), "failed innocently", 1, id="expired"),
        pytest.param(answers(Answer("cancelled")), "failed innocently", 1, id="cancelled"),
        pytest.param(answers(Answer("failed"), RIGHT), "outcomes changed", 1, id="changed"),
        pytest.param(answers(RIGHT, ALMOST), "outcomes changed", 1, id="overwritten"),
        pytest.param(accept_twice, "accepted twice", 1, id="two ids for one number"),
        pytest.param(leave_one_stranded, "stranded", 1, id="uncertain and never settled"),
        pytest.param(compute_what_was_refused, "refused and computed", 1, id="refused"),
        pytest.param(write_twice, "outcomes written twice", 1, id="settled twice"),
        pytest.param(lose_an_event, "events missing", 1, id="no event"),
        pytest.param(tell_another_outcome, "events wrong", 1, id="event of another outcome"),
        pytest.param(tell_another_answer, "events wrong", 1, id="event with another answer"),
    ],
)
def test_accounts_find_a_mutated_answer(
    evidence: Evidence, mutate: Callable[[Evidence], None], name: str, count: int
) -> None:
    mutate(evidence)
    found = account(evidence)
    assert found.faults[name] == count
    assert found.adds_up


def test_accounts_count_a_second_computation(evidence: Evidence) -> None:
    evidence.computed[50] += 2
    found = account(evidence)
    assert found.computed_again == 2
    assert set(found.faults.values()) == {0}


def test_held_back_is_told_apart_from_lost(evidence: Evidence) -> None:
    forget(evidence)
    del evidence.answers["id-51"]
    evidence.held_back = frozenset({"id-51", "id-52"})
    found = account(evidence)
    assert (found.lost, found.held_back) == (["id-50", "id-51"], 1)


def test_unaccepted_predictions_that_turned_up_must_be_right(evidence: Evidence) -> None:
    evidence.turned_up = {"id-60": evidence.accepted.pop("id-60")}
    found = account(evidence)
    assert (found.accepted, set(found.faults.values())) == (COUNT - 1, {0})
    evidence.answers["id-60"] = [RIGHT]
    assert account(evidence).wrong == ["id-60"]


@pytest.mark.parametrize(
    ("asked", "just"),
    [
        (Asked(50, CALM), False),
        (Asked(50, HANGS), False),
        (Asked(50, HANGS, times_out=True), True),
        (Asked(50, LEAKS), True),
        (Asked(50, CRASHES), True),
    ],
)
def test_innocent_failure_is_found(evidence: Evidence, asked: Asked, just: bool) -> None:
    evidence.accepted[INNOCENT] = asked
    evidence.answers[INNOCENT] = [Answer("failed")]
    assert (account(evidence).failed_innocently == []) is just


def test_accounts_that_do_not_add_up_say_so(evidence: Evidence) -> None:
    found: Accounts = msgspec.structs.replace(account(evidence), accepted=COUNT + 1)
    assert not found.adds_up
