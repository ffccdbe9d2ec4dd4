"""Compares a model's own answers to a sample with what is served by each door."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from registry.manifest import Signature
from telemetry.errors import PredictqError
from workers.gate.doors import DOORS, through_door
from workers.models.engine import answer_table, call_method
from workers.models.process_state.containing import contained
from workers.models.signature.inspection import quietly
from workers.models.signature.methods import answering_methods
from workers.models.signature.own_answers import OwnAnswers
from workers.models.tabular.equality import unequal
from workers.models.tabular.outputs import Output, to_wire
from workers.models.tabular.table import Table

SHOWN_ROWS = 3
"""Most differing rows that are reported per door."""


class Difference(msgspec.Struct, frozen=True):
    """A row whose served answer differs from the model's own."""

    door: str
    row: int
    """Row number in the sample, from 1."""
    method: str
    own: Any
    """The model's own answer, as JSON has it."""
    served: Any
    """The answer through the door; None if the row was refused."""
    refusal: str = ""
    """Error message if the row was refused."""
    column: str = ""
    """The column to blame, if restoring its value alone makes the answers equal."""


def differences(model: Any, signature: Signature, own: OwnAnswers) -> list[Difference]:
    """The first `SHOWN_ROWS` rows of the sample, for each door, whose served answers differ.

    No server is needed: rows pass through the code of a request, or of a job's file, in process.
    """
    with quietly():
        return [
            found
            for door in DOORS
            for found in islice(_of_door(model, signature, own, door), SHOWN_ROWS)
        ]


def gate_differences(
    model: Any, signature: Signature, own: OwnAnswers
) -> tuple[list[Difference], bool]:
    """What `differences` finds, and whether the model's answers to the same rows vary.

    If they vary, only rows that a door refuses are differences.
    """
    wrong = differences(model, signature, own)
    if not wrong or not _varies(model, own):
        return wrong, False
    return [each for each in wrong if each.refusal], True


def _varies(model: Any, own: OwnAnswers) -> bool:
    """Whether the model gives other answers if it is called with the sample once more."""
    with quietly():
        again = answering_methods(model, own.given, len(own.frame))
    return any(
        method not in again or unequal(answers, again[method]).any()
        for method, answers in own.answers.items()
    )


def _of_door(model: Any, signature: Signature, own: OwnAnswers, door: str) -> Iterator[Difference]:
    method = next(iter(own.answers))
    try:
        passed = through_door(door, signature, own.frame)
    except PredictqError as error:
        yield Difference(door, 1, method, _row(own.answers[method], 0), None, error.message)
        return
    for row, refusal in passed.refused.items():
        yield Difference(door, row + 1, method, _row(own.answers[method], row), None, refusal)
    for table, indices in passed.tables:
        yield from _of_table(model, own, door, table, indices)


def _of_table(
    model: Any, own: OwnAnswers, door: str, table: Table, indices: list[int]
) -> Iterator[Difference]:
    for method, answers in own.answers.items():
        mine = _rows(answers, indices)
        try:
            served = _ask(model, method, table)
        except PredictqError as error:
            yield Difference(door, indices[0] + 1, method, _row(mine, 0), None, error.message)
            continue
        for index in map(int, np.flatnonzero(unequal(mine, served))):
            yield Difference(
                door,
                indices[index] + 1,
                method,
                _row(mine, index),
                _row(served, index),
                column=_to_blame(model, method, own, table[index : index + 1], indices[index]),
            )


def _ask(model: Any, method: str, table: Table) -> Output:
    with contained():
        return answer_table(table, lambda given: call_method(model, method, given)).output


def _to_blame(model: Any, method: str, own: OwnAnswers, served: Table, row: int) -> str:
    """The column that causes the difference: restoring the sample's value in it removes it.

    Empty if no single column does.
    """
    frame, mine = _as_frame(own, served), own.frame.iloc[[row]].reset_index(drop=True)
    right = _rows(own.answers[method], [row])
    for name in own.frame.columns:
        try:
            answer = call_method(
                model, method, _given(own, frame.assign(**{name: mine[name]}))
            ).output
        except PredictqError:
            continue
        if not unequal(right, answer).any():
            return str(name)
    return ""


def _as_frame(own: OwnAnswers, served: Table) -> pd.DataFrame:
    given = served.whole()
    if isinstance(given, pd.DataFrame):
        return given
    array = given[:, None] if given.ndim == 1 else given
    return pd.DataFrame(array, columns=own.frame.columns)


def _given(own: OwnAnswers, frame: pd.DataFrame) -> Any:
    return msgspec.structs.replace(own, frame=frame).given


def _rows(output: Output, indices: list[int]) -> Output:
    return [each[indices] for each in output] if isinstance(output, list) else output[indices]


def _row(output: Output, index: int) -> Any:
    return to_wire(_rows(output, [index]))[0]
