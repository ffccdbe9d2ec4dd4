"""Checks by predictions: one of each model, compared with its golden rows, and a small load."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from cli.doctor.finding import Check, Finding, Observation, finding_of, graded, listed
from predictq import Client
from predictq.errors import PredictqError
from registry.manifest import Manifest
from registry.store import Registry
from workers.models.tabular.equality import equal

MAX_MODELS = 20
MODEL_SECONDS = 30.0
"""Seconds that a prediction may take; a version that no worker holds yet is loaded first."""
LOAD_PREDICTIONS, LOAD_THREADS, LOAD_SECONDS = 200, 4, 5.0
"""Bounds of the load: whichever is reached first ends it."""
SLOW, VERY_SLOW = 0.5, 5.0
"""Seconds of the slowest hundredth under the load."""
_PREDICTIONS = "docs/troubleshooting.md"


class Question(msgspec.Struct, frozen=True):
    """A row of a version that is ready, and its answer if a golden row has it."""

    reference: str
    method: str
    row: list[Any]
    answer: list[Any]
    """The answer to the row; empty if the version has no golden rows."""


def findings_of_predictions(home: Path, url: str) -> Iterator[Finding]:
    """Predict with each model; if all answer, also measure the fastest under a small load."""
    questions = [*_questions(Registry(home))][:MAX_MODELS]
    with Client(url, timeout=MODEL_SECONDS) as client:
        first = finding_of(Check("predictions", _PREDICTIONS, partial(_answers, client, questions)))
        yield first
        if first.level == "pass":
            shortest = min(questions, key=lambda each: len(each.row))
            yield finding_of(Check("load", _PREDICTIONS, partial(_load, client, shortest)))


def _questions(registry: Registry) -> Iterator[Question]:
    """A question for the latest ready version of each model that has a row."""
    for name in registry.models():
        if (latest := registry.latest(name)) is not None:
            manifest = registry.resolve(f"{name}:{latest}").manifest
            if question := _question(manifest, registry):
                yield question


def _question(manifest: Manifest, registry: Registry) -> Question | None:
    method, golden = manifest.signature.main, registry.golden_rows(manifest)
    if golden is not None and golden.rows and method in golden.answers:
        return Question(manifest.reference, method, golden.rows[0], golden.answers[method][:1])
    if manifest.example is None:
        return None
    return Question(manifest.reference, method, manifest.example, [])


def _answers(client: Client, questions: list[Question]) -> Observation:
    if not questions:
        remedy = "Register a model with --sample, whose first rows are then asked."
        return Observation("warn", "no version that is ready has a golden row", remedy)
    wrong = [fault for each in questions if (fault := _fault(client, each))]
    if wrong:
        remedy = "Look for the message in this document, and for its id in logs/worker.log."
        return Observation("fail", "; ".join(wrong), remedy)
    compared = sum(bool(each.answer) for each in questions)
    names = listed([each.reference for each in questions])
    return Observation("pass", f"{names} answer, {compared} equal to the golden rows")


def _fault(client: Client, question: Question) -> str:
    """The error in the answer to a question; empty if there is none."""
    try:
        found = _ask(client, question)
    except PredictqError as error:
        return f"{question.reference}: {error}"
    if question.answer and not equal(question.answer, found):
        return f"{question.reference} answers {found}, its golden row has {question.answer}"
    return ""


def _ask(client: Client, question: Question) -> list[Any]:
    return client.predict(question.reference, [question.row], method=question.method).predictions


def _load(client: Client, question: Question) -> Observation:
    started = time.monotonic()
    end = started + LOAD_SECONDS
    with ThreadPoolExecutor(LOAD_THREADS) as threads:
        done = threads.map(lambda _: _timed(client, question, end), range(LOAD_PREDICTIONS))
        times = sorted(seconds for seconds in done if seconds is not None)
    rate = len(times) / (time.monotonic() - started)
    p99 = times[int(len(times) * 0.99)]
    text = f"{len(times)} of {question.reference}: {rate:,.0f}/s, p99 {p99 * 1000:,.0f} ms"
    remedy = "Look at what uses the processors, and at the queue's other models."
    return Observation(graded(p99, warn=SLOW, fail=VERY_SLOW), text, remedy)


def _timed(client: Client, question: Question, end: float) -> float | None:
    """Seconds of one prediction; None if the time for the load is over."""
    if (started := time.monotonic()) > end:
        return None
    _ask(client, question)
    return time.monotonic() - started
