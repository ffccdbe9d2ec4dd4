"""Sends a frame through each door, and compares the predictions with the model's own."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from benchmarks.zoo.exhibit import Exhibit
from benchmarks.zoo.exhibits.company import Company
from benchmarks.zoo.wire import flat, lines_by_hand, own_answers, rows_by_hand, same
from predictq import PredictqError

ANSWER_TIMEOUT = 120.0
ALONE = 3
"""Rows that are also sent one by one."""


class Found(msgspec.Struct):
    """The results of one door."""

    equal: int = 0
    refused: int = 0
    different: int = 0
    words: str = ""
    """Message of the first refusal or difference."""

    def refuse(self, rows: int, words: str) -> None:
        """Record refused rows."""
        self.refused += rows
        self.words = self.words or words

    def compare(self, what: str, own: Any, served: Any) -> None:
        """Record whether two answers are equal."""
        if same(own, served):
            self.equal += 1
            return
        if not self.different:
            self.words = f"{what}: the model gives {own!r:.80}, served is {served!r:.80}"
        self.different += 1

    def __str__(self) -> str:
        """A cell of a table."""
        if not self.refused and not self.different:
            return "equal"
        parts = {"equal": self.equal, "refused": self.refused, "DIFFERENT": self.different}
        if not self.equal and not self.different:
            return "refused"
        return ", ".join(f"{count} {what}" for what, count in parts.items() if count)


class Asked(msgspec.Struct, frozen=True):
    """A registered model, and its expected answers."""

    reference: str
    exhibit: Exhibit
    named: bool
    answers: dict[str, list[Any]]
    """Method → the model's own answers for the fresh rows."""
    directory: Path


def own(exhibit: Exhibit, methods: list[str]) -> dict[str, list[Any]]:
    """The model's own answers, for each method that accepts the fresh rows."""
    given, rows = exhibit.given(exhibit.fresh), len(exhibit.fresh)
    return {m: own_answers(getattr(exhibit.model, m)(given), rows) for m in methods}


def by_hand(company: Company, asked: Asked) -> Found:
    """One JSON request, with null for missing values."""
    found = Found()
    rows = rows_by_hand(asked.exhibit.fresh, by_name=asked.named)
    for method, answers in asked.answers.items():
        body = {"model": asked.reference, "features": rows, "method": method}
        answer = httpx2.post(f"{company.url}/predict", json=body, timeout=ANSWER_TIMEOUT)
        _note(found, method, answers, answer)
    return found


def alone(company: Company, asked: Asked) -> Found:
    """The first rows, each in its own request, compared with the model's answer for that row."""
    found = Found()
    exhibit = asked.exhibit
    for number in range(min(ALONE, len(exhibit.fresh))):
        one = exhibit.fresh.iloc[[number]]
        (row,) = rows_by_hand(one, by_name=asked.named)
        for method in asked.answers:
            answers = own_answers(getattr(exhibit.model, method)(exhibit.given(one)), 1)
            body = {"model": asked.reference, "features": [row], "method": method}
            answer = httpx2.post(f"{company.url}/predict", json=body, timeout=ANSWER_TIMEOUT)
            _note(found, method, answers, answer)
    return found


def _note(found: Found, method: str, answers: list[Any], answer: Any) -> None:
    if answer.status_code != 200:
        problem = answer.json()
        found.refuse(len(answers), f"{problem.get('code')}: {problem.get('detail')}")
        return
    _compare(found, method, answers, answer.json()["predictions"])


def _compare(found: Found, method: str, answers: list[Any], served: list[Any]) -> None:
    if len(served) != len(answers):
        found.refuse(len(answers), f"{method}: {len(served)} answers for {len(answers)} rows")
        return
    for number, (mine, other) in enumerate(zip(answers, served, strict=True), 1):
        found.compare(f"row {number}, {method}", mine, other)


def by_client(company: Company, asked: Asked) -> Found:
    """The Python client, with the frame or the form that the model takes."""
    found, exhibit = Found(), asked.exhibit
    rows = exhibit.given(exhibit.fresh)
    for method, answers in asked.answers.items():
        try:
            served = company.client.predict(asked.reference, rows, method=method).predictions
        except PredictqError as error:
            found.refuse(len(answers), str(error))
            continue
        _compare(found, method, answers, served)
    return found


def by_command(company: Company, asked: Asked) -> Found:
    """``predictq predict --file fresh.csv``."""
    found, path = Found(), asked.directory / "fresh.csv"
    asked.exhibit.fresh.to_csv(path, index=False)
    for method, answers in asked.answers.items():
        said = company.types(
            *("predict", asked.reference, "--file", path, "--method", method),
            *("--json", "--url", company.url),
        )
        if not said.is_good:
            found.refuse(len(answers), said.words)
            continue
        _compare(found, method, answers, [json.loads(line) for line in said.output.splitlines()])
    return found


def _csv(asked: Asked, path: Path) -> None:
    asked.exhibit.fresh.to_csv(path, index=False)


def _ndjson(asked: Asked, path: Path) -> None:
    path.write_text(lines_by_hand(asked.exhibit.fresh, by_name=asked.named))


def _parquet(asked: Asked, path: Path) -> None:
    asked.exhibit.fresh.rename(columns=str).to_parquet(path, index=False)


def _by_job(write: Callable[[Asked, Path], None], format: str) -> Callable[[Company, Asked], Found]:
    def ask(company: Company, asked: Asked) -> Found:
        found, source = Found(), asked.directory / f"fresh.{format}"
        write(asked, source)
        rows = len(asked.exhibit.fresh)
        try:
            job = company.client.jobs.submit(
                *(asked.reference, source),
                methods=[*asked.answers],
                upload=True,
                output_format="ndjson",
            )
            job = company.client.jobs.wait(job.id, ANSWER_TIMEOUT)
        except PredictqError as error:
            found.refuse(rows, str(error))
            return found
        if not job.has_output:
            found.refuse(rows, str(job.error.message if job.error else job.status))
            return found
        target = asked.directory / f"answers-of-{format}.ndjson"
        company.client.jobs.download(job.id, target)
        bad = {error.line: error.message for error in company.client.jobs.errors(job.id)}
        for message in bad.values():
            found.refuse(1, message)
        _compare_lines(found, asked, target.read_text().splitlines())
        return found

    return ask


def _compare_lines(found: Found, asked: Asked, lines: list[str]) -> None:
    own = list(zip(*asked.answers.values(), strict=True))
    for number, (line, mine) in enumerate(zip(lines, own, strict=True), 1):
        served = [*_values(json.loads(line))]
        if found.refused and all(value is None for value in served):
            continue  # it is among the errors
        found.compare(f"row {number}", [*flat([*mine])], served)


def _values(line: dict[str, Any]) -> Iterator[Any]:
    for value in line.values():
        yield from flat(value)


DOORS: dict[str, Callable[[Company, Asked], Found]] = {
    "JSON": by_hand,
    "alone": alone,
    "client": by_client,
    "command": by_command,
    "CSV": _by_job(_csv, "csv"),
    "NDJSON": _by_job(_ndjson, "ndjson"),
    "Parquet": _by_job(_parquet, "parquet"),
}
