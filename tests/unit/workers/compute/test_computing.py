"""How a pool process computes a microbatch; the engine and the ledger are stand-ins."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry.changes import Changes
from registry.store import Registry
from tasks.ledger.predictions.attempts import NotStarted
from tasks.time_limits import MAX_ATTEMPTS, MAX_RUN_SECONDS
from tests.unit.workers.compute.microbatch_harness import Bench, item
from workers.protocol import Instruction


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_model_call_answers_each_message_with_its_own_rows(bench: Bench) -> None:
    assert bench.run(item("a", 1, 2), item("b", 3), item("c", 4, 5, 6)) == ["succeeded"] * 3
    assert bench.answers() == {"a": [2, 4], "b": [6], "c": [8, 10, 12]}
    assert bench.engine.calls == [("m:1", "predict", 6)]
    assert bench.ledger.outcomes["b"].receipt.batch_size == 6


def test_versions_and_methods_are_called_apart(bench: Bench) -> None:
    bench.run(
        item("a"),
        item("b", model="m:2"),
        item("c", method="predict_proba"),
        item("d", model="m@production"),
    )
    assert sorted(bench.engine.calls) == [
        ("m:1", "predict", 2),
        ("m:1", "predict_proba", 1),
        ("m:2", "predict", 1),
    ]
    assert bench.ledger.outcomes["d"].receipt.alias == "production"


def test_message_of_a_stock_producer_to_a_split_keeps_its_version_at_each_attempt(
    bench: Bench,
) -> None:
    ids = [f"id-{number}" for number in range(8)]
    found = []
    for _ in range(2):
        bench.run(*(item(task_id, model="m@split") for task_id in ids))
        found.append([bench.ledger.outcomes[task_id].receipt.version for task_id in ids])
    assert found[0] == found[1]
    assert set(found[0]) == {1, 2}


def test_exact_version_computes_each_request_alone(bench: Bench) -> None:
    bench.run(item("a", 1, 2, model="exact"), item("b", 3, model="exact"))
    assert bench.engine.calls == [("exact:1", "predict", 2), ("exact:1", "predict", 1)]
    assert {r.receipt.batch_size for r in bench.ledger.outcomes.values()} == {2, 1}


def test_outcome_of_too_many_bytes_fails_alone_and_says_what_to_do(bench: Bench) -> None:
    assert bench.run(item("a", 1), item("wide", *[1] * 1000), item("b", 2)) == [
        "succeeded",
        "outcome_too_large",
        "succeeded",
    ]
    wide = bench.ledger.outcomes["wide"]
    assert wide.state == "failed"
    assert "fewer rows at once, or score them as a file, by a batch job" in wide.error.message
    assert not wide.error.retryable


def test_guilty_message_fails_alone(bench: Bench) -> None:
    assert bench.run(item("a", 1), item("b", 2, 666), item("c", 3)) == [
        "succeeded",
        "model_error",
        "succeeded",
    ]


def test_traceback_of_a_model_error_is_kept_and_logged(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.run(item("a", 666), item("b", body=b"[]"), item("c", 1))
    told = "ValueError: it is too much\n"
    assert bench.tracebacks == {"a": told, "b": "", "c": ""}
    kept = {task_id: record.traceback for task_id, record in bench.ledger.outcomes.items()}
    assert kept == {"a": told, "b": None, "c": None}
    fields = [vars(record) for record in caplog.records]
    assert [(f["id"], f.get("traceback")) for f in fields] == [("b", None), ("a", told)]
    assert (fields[1]["model"], fields[1]["version"]) == ("m", 1)
    assert not any(record.exc_info for record in caplog.records)


def test_traceback_of_an_unforeseen_error_is_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: Any) -> None:
        raise KeyError("nobody foresaw it")

    monkeypatch.setattr("workers.compute.admission.check_method", stumble)
    assert bench.run(item("a")) == ["internal"]
    assert "KeyError: 'nobody foresaw it'" in (bench.ledger.outcomes["a"].traceback or "")
    assert bench.ledger.outcomes["a"].error.message == "the worker could not compute this"


def test_unloadable_model_is_tried_once_for_a_microbatch(bench: Bench) -> None:
    items = [item(name, model="broken") for name in "abc"]
    bench.ledger.starts = dict.fromkeys("abc", MAX_ATTEMPTS)
    assert bench.run(*items, item("d")) == ["model_unloadable"] * 3 + ["succeeded"]
    assert len(bench.engine.calls) == 2


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"expires": 1.0}, "expired"),
        ({"instruction": Instruction.CANCEL}, "cancelled"),
        ({"instruction": Instruction.TIME_OUT}, "timed_out"),
        ({"body": b"not JSON"}, "malformed"),
        ({"body": b"[]"}, "malformed"),
        ({"body": b'[["m:1"], {}, {}]'}, "invalid"),
        ({"content_type": "None"}, "malformed"),
        ({"content_type": "application/x-python-serialize"}, "malformed"),
        ({"model": "nobody"}, "model_not_found"),
        ({"model": "m:7"}, "version_not_found"),
        ({"method": "fit"}, "unsupported_method"),
        ({"body": b'[["m:1", [[1, 2, 3]]], {}, {}]'}, "invalid_features"),
    ],
    ids=str,
)
def test_request_that_need_not_be_computed_does_not_affect_others(
    bench: Bench, fields: dict[str, Any], kind: str
) -> None:
    assert bench.run(item("a"), item("b", **fields), item("c")) == [
        "succeeded",
        kind,
        "succeeded",
    ]
    assert bench.engine.calls == [("m:1", "predict", 2)]


def test_unexpired_message_is_computed(bench: Bench) -> None:
    assert bench.run(item("a", expires=time.time() + 60)) == ["succeeded"]


def test_exhausted_attempts_are_given_up(bench: Bench) -> None:
    bench.ledger.starts = {"last": MAX_ATTEMPTS, "hopeless": MAX_ATTEMPTS + 1}
    assert bench.run(item("last"), item("hopeless")) == ["succeeded", "worker_lost"]
    assert bench.ledger.outcomes["last"].receipt.attempt == MAX_ATTEMPTS


def test_infrastructure_errors_are_retried_and_others_are_not(bench: Bench) -> None:
    batch = [item("memory", 1e9), item("load", model="broken"), item("model", 666), item("good")]
    assert bench.run(*batch) == ["retrying", "retrying", "model_error", "succeeded"]
    # A failed load blames no request, so its retry may share a microbatch.
    assert bench.ledger.postponed == {"memory": True, "load": False}
    assert set(bench.ledger.outcomes) == {"model", "good"}


def unreadable(models: Path) -> None:
    generation = models / ".generation"
    generation.unlink()
    generation.symlink_to(generation.name)


def empty(models: Path) -> None:
    shutil.rmtree(models)
    models.mkdir()


@pytest.mark.parametrize("happens", [unreadable, shutil.rmtree, empty])
def test_unreadable_registry_is_retried(
    bench: Bench, tmp_path: Path, happens: Callable[[Path], object]
) -> None:
    bench.run(item("before"))
    happens(tmp_path / "models")
    bench.ledger.starts = {"last": MAX_ATTEMPTS}
    unwanted = item("cancelled", instruction=Instruction.CANCEL), item("late", expires=1.0)
    assert bench.run(item("a"), item("last"), *unwanted) == [
        "retrying",
        "registry_unavailable",
        "cancelled",
        "expired",
    ]
    assert bench.ledger.postponed == {"a": False}


def test_removed_version_stays_removed(bench: Bench, tmp_path: Path) -> None:
    Changes(Registry(tmp_path)).remove("m", 1)
    assert bench.run(item("a")) == ["version_not_found"]
    Changes(Registry(tmp_path)).remove("m")
    assert bench.run(item("b")) == ["model_not_found"]


def test_accepted_version_that_is_not_found_is_retried(bench: Bench) -> None:
    assert bench.run(item("a", model="m:7", accepted=True)) == ["retrying"]
    assert bench.ledger.postponed == {"a": False}


def test_accepted_version_that_was_removed_fails(bench: Bench, tmp_path: Path) -> None:
    Changes(Registry(tmp_path)).remove("m", 1)
    assert bench.run(item("a", accepted=True)) == ["version_not_found"]


def test_last_attempt_of_a_retryable_error_fails(bench: Bench) -> None:
    bench.ledger.starts = {"memory": MAX_ATTEMPTS, "load": MAX_ATTEMPTS}
    batch = [item("memory", 1e9), item("load", model="broken")]
    assert bench.run(*batch) == ["out_of_memory", "model_unloadable"]
    assert {record.error.attempt for record in bench.ledger.outcomes.values()} == {MAX_ATTEMPTS}


def test_hung_load_is_postponed_and_counts_against_its_version(
    bench: Bench, tmp_path: Path
) -> None:
    batch = [
        item("a", instruction=Instruction.GIVE_UP_LOADING),
        item("b", 666, instruction=Instruction.GIVE_UP_LOADING),
    ]
    assert bench.run(*batch) == ["model_unloadable"] * 2
    assert bench.engine.calls == []
    assert bench.ledger.dead_after == {"a": 1, "b": 1}
    shutil.rmtree(tmp_path / "models")
    assert bench.run(item("away", instruction=Instruction.GIVE_UP_LOADING)) == ["retrying"]


def test_failure_names_its_attempt(bench: Bench) -> None:
    bench.ledger.starts = {"raised": 2, "hopeless": MAX_ATTEMPTS + 1, "slow": 2}
    bench.run(item("raised", 666))
    bench.run(item("hopeless"))
    bench.run(item("slow", instruction=Instruction.TIME_OUT))
    attempts = {i: record.error.attempt for i, record in bench.ledger.outcomes.items()}
    assert attempts == {"raised": 2, "hopeless": MAX_ATTEMPTS, "slow": 1}


def test_smallest_limit_of_a_microbatch_counts(bench: Bench) -> None:
    bench.run(item("a", limit=7.0), item("b", limit=0.5), item("c", limit=300.0))
    assert bench.limits == [0.5]


def test_limit_of_an_uncomputed_message_does_not_count(bench: Bench) -> None:
    bench.ledger.starts = {"done": NotStarted.DONE, "suspect": NotStarted.SUSPECT}
    bench.run(item("done", limit=0.5), item("suspect", limit=0.5), item("a", limit=7.0))
    bench.run(item("done", limit=0.5))
    assert bench.limits == [7.0, MAX_RUN_SECONDS]


def test_settled_or_suspect_message_is_left(bench: Bench) -> None:
    bench.ledger.starts = {"done": NotStarted.DONE, "suspect": NotStarted.SUSPECT}
    assert bench.run(item("done"), item("suspect"), item("a")) == [
        "dropped",
        "suspect",
        "succeeded",
    ]
    assert bench.engine.calls == [("m:1", "predict", 1)]
    assert set(bench.ledger.outcomes) == {"a"}


def test_empty_batch_is_not_settled(bench: Bench) -> None:
    bench.ledger.starts = {"done": NotStarted.DONE}
    assert bench.run(item("done")) == ["dropped"]
    assert bench.engine.calls == []
    assert bench.ledger.outcomes == {}
