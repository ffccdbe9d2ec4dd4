"""Judges a case: compares predictions through every door with the model's own."""

import pickle
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from benchmarks.equality.cases import Case
from benchmarks.equality.doors import DOORS, NONE, through
from benchmarks.equality.exclusions import excluded
from registry.manifest import Signature
from registry.methods import INVERSE
from telemetry.errors import ModelError, ModelUnloadable
from workers.gate.comparing import differences
from workers.gate.doors import DoorResult
from workers.models.engine import Answer as Answered
from workers.models.engine import answer_table, call_method, convert_model_errors
from workers.models.signature.inspection import Inspected, inspect, quietly
from workers.models.tabular.equality import unequal
from workers.models.tabular.outputs import Output, to_wire
from workers.models.tabular.table import Table

Answer = Output | ModelError
PROVED = 4
"""One in so many cases also runs the gate of registration on its sample."""

COMPANY, NOISE = (2, 3, 5, 9, 17, 33), 8
"""Repetitions of a row, to see how its own prediction varies with the number of rows; and the
factor beyond that variation that still counts as noise."""


class Finding(msgspec.Struct, frozen=True):
    """A row whose served prediction differs from the model's own."""

    case: str
    door: str
    what: str
    row: int
    method: str
    own: str
    served: str


class Verdict(msgspec.Struct, frozen=True):
    """The result of a case."""

    form: str
    wrapper: str
    estimator: str
    kinds: tuple[str, ...]
    refusal: str = ""
    """Why registration refused the model; empty if it did not."""
    counts: dict[str, dict[str, int]] = {}
    """Door → how many rows were equal, refused as the model refuses them, or excluded."""
    findings: list[Finding] = []


def judged(case: Case) -> Verdict:
    """Examine the case's model as registration does, and compare it by every door."""
    plan = case.plan
    kinds = tuple(sorted({column.kind.name for column in plan.columns}))
    verdict = Verdict(plan.form, plan.wrapper.name, plan.estimator, kinds)
    with quietly():
        try:
            inspected = inspect(case.model, None, sample=case.sample)
        except ModelUnloadable as error:
            return msgspec.structs.replace(verdict, refusal=error.message)
        return _Judge(case, inspected).verdict(verdict)


class _Judge:
    """One case with the model's own predictions."""

    def __init__(self, case: Case, inspected: Inspected) -> None:
        self._case, self._inspected = case, inspected
        self._signature = kept(inspected.signature)
        self._methods = [name for name in self._signature.methods if name != INVERSE]
        self._known: dict[bytes, Answer] = {}
        self._rows = case.fresh.rename(columns=str)
        self._whole = {name: self._own(name, case.fresh) for name in self._methods}
        self._alone = [
            {name: self._own(name, case.alone(index)) for name in self._singly()}
            for index in range(len(case.fresh))
        ]

    def verdict(self, verdict: Verdict) -> Verdict:
        findings, counts = [*self._of_sample()], {}
        for door in DOORS:
            found, counts[door] = self._of_door(door)
            findings += found
        return msgspec.structs.replace(verdict, counts=counts, findings=findings)

    def _of_sample(self) -> Iterator[Finding]:
        """Findings of the gate on the sample, of which every row must be served."""
        own = self._inspected.own_answers
        if own is None or self._case.number % PROVED:
            return
        unsayable = {door: excluded(door, self._signature, own.frame) for door in DOORS}
        for found in differences(self._case.model, self._signature, own):
            if not unsayable[found.door]:
                yield Finding(
                    self._case.name,
                    f"sample, {found.door}",
                    "refused" if found.refusal else "differs",
                    found.row,
                    found.method,
                    repr(found.own),
                    found.refusal or f"{found.served!r} because of {found.column!r}",
                )

    def _of_door(self, door: str) -> tuple[list[Finding], dict[str, int]]:
        unsayable = excluded(door, self._signature, self._rows)
        passed = through(door, self._case, self._signature, self._case.fresh)
        if {*_places(passed), *passed.refused} != {*range(len(self._rows))}:
            told = f"rows {_places(passed)} and {[*passed.refused]}"
            return [self._finding(door, "other rows", 0, self._signature.main, "", told)], {}
        found = [*self._of_refused(door, passed, unsayable)]
        for table, indices in passed.tables:
            keyed = _Keyed.of(table)
            together = [(n, index) for n, index in enumerate(indices) if index != NONE]
            if not unsayable:
                found += self._of_batch(door, keyed, together)
            for n, index in together:
                if index not in unsayable:
                    found += self._of_row(door, _Keyed.of(table[n : n + 1]), index)
        seen = _places(passed)
        counts = Counter(self._outcome(index, index in seen) for index in range(len(self._rows)))
        counts["excluded"] = len(unsayable)
        return found, dict(counts)

    def _outcome(self, index: int, passed: bool) -> str:
        if isinstance(self._alone[index][self._signature.main], ModelError):
            return "refused by model" if passed else "refused by door"
        return "answered"

    def _of_refused(self, door: str, passed: DoorResult, unsayable: Any) -> Iterator[Finding]:
        for index, reason in passed.refused.items():
            answer = self._alone[index][self._signature.main]
            if index not in unsayable and not isinstance(answer, ModelError):
                yield self._finding(door, "refused", index, self._signature.main, answer, reason)

    def _of_batch(
        self, door: str, table: "_Keyed", indices: list[tuple[int, int]]
    ) -> Iterator[Finding]:
        """Compare all rows at once; after a refused row the rest are compared one by one."""
        for method in self._methods:
            right = self._whole[method]
            if isinstance(right, ModelError) or not self._all_answered():
                continue
            served = self._ask(method, table)
            for n, index in indices:
                if one := self._differs(method, index, _row(served, n)):
                    mine = _row(right, index)
                    yield self._finding(door, f"{one} together", index, method, mine, served, n)

    def _of_row(self, door: str, table: "_Keyed", index: int) -> Iterator[Finding]:
        for method, mine in self._alone[index].items():
            served = self._ask(method, table)
            if one := self._differs(method, index, served):
                yield self._finding(door, one, index, method, mine, served)

    def _differs(self, method: str, index: int, served: Answer) -> str:
        """What is wrong with an answer, which may equal that of the row alone or among all."""
        mine = [self._alone[index].get(method), _row(self._whole[method], index)]
        right = [one for one in mine if one is not None and not isinstance(one, ModelError)]
        if isinstance(served, ModelError) or isinstance(mine[0], ModelError):
            return _misfit(mine[0], served)
        if not all(unequal(one, served).any() for one in right):
            return ""
        return "" if self._is_noise(method, index, right[0], served) else "differs"

    def _is_noise(self, method: str, index: int, own: Any, served: Any) -> bool:
        """Whether the model's own prediction varies as much with the number of rows."""
        if not (_is_float(own) and _is_float(served) and own.shape == served.shape):
            return False
        row = self._case.alone(index)
        company = [self._own(method, row.iloc[[0] * count]) for count in COMPANY]
        found = [answer[:1] for answer in company if not isinstance(answer, ModelError)]
        return bool((np.abs(served - own) <= NOISE * np.ptp([own, *found], axis=0)).all())

    def _finding(
        self, door: str, what: str, index: int, method: str, own: Any, served: Any, n: int = 0
    ) -> Finding:
        shown = _told(served, n)
        return Finding(self._case.name, door, what, index, method, _told(own, 0), shown)

    def _all_answered(self) -> bool:
        main = self._signature.main
        return not any(isinstance(answers[main], ModelError) for answers in self._alone)

    def _singly(self) -> list[str]:
        """Methods to compare row by row; all of them only in some cases, as it takes longest."""
        return self._methods if self._case.number % PROVED == 0 else [self._signature.main]

    def _own(self, method: str, frame: pd.DataFrame) -> Answer:
        return self._call(method, _Given.of(self._case.given(frame)))

    def _ask(self, method: str, table: "_Keyed") -> Answer:
        def answer(given: Any) -> Any:
            found = self._call(method, given)
            if isinstance(found, ModelError):
                raise found
            return Answered(found, 0.0)

        try:
            return answer_table(table, answer).output  # type: ignore[arg-type]  # it asks for parts only
        except ModelError as error:
            return error

    def _call(self, method: str, given: "_Given") -> Answer:
        """Call the model, with a cache: most doors give it the same input."""
        key = method.encode() + given.key
        if key not in self._known:
            try:
                self._known[key] = call_method(self._case.model, method, given.given).output
            except ModelError as error:
                self._known[key] = error
        return self._known[key]


class _Given(msgspec.Struct, frozen=True):
    """An input of the model, and its cache key."""

    given: Any
    key: bytes

    @classmethod
    def of(cls, given: Any) -> "_Given":
        return cls(given, pickle.dumps(given))

    def __len__(self) -> int:
        return len(self.given)


class _Keyed(msgspec.Struct, frozen=True):
    """A table whose parts are computed once for all methods."""

    made: list[tuple[Any, _Given]] | ModelError

    @classmethod
    def of(cls, table: Table) -> "_Keyed":
        try:
            with convert_model_errors():
                return cls([(indices, _Given.of(given)) for indices, given in table.parts()])
        except ModelError as error:
            return cls(error)

    def parts(self) -> list[tuple[Any, _Given]]:
        if isinstance(self.made, ModelError):
            raise self.made
        return self.made


def _places(passed: DoorResult) -> set[int]:
    """The fresh rows that passed the door."""
    return {index for _, indices in passed.tables for index in indices} - {NONE}


def kept(signature: Signature) -> Signature:
    """A signature after a round trip through the registry."""
    return msgspec.json.decode(msgspec.json.encode(signature), type=Signature)


def _is_float(output: Any) -> bool:
    return isinstance(output, np.ndarray) and output.dtype.kind == "f"


def _misfit(own: Answer | None, served: Answer) -> str:
    """What is wrong if the model itself or the server refuses a row."""
    if isinstance(own, ModelError):
        return "" if isinstance(served, ModelError) else "answered"
    return "failed"


def _row(output: Answer, index: int) -> Answer:
    if isinstance(output, ModelError):
        return output
    indices = np.array([index])
    return [each[indices] for each in output] if isinstance(output, list) else output[indices]


def _told(answer: Any, index: int) -> str:
    if isinstance(answer, ModelError | str):
        return str(answer)
    return repr(to_wire(_row(answer, index))[0])
