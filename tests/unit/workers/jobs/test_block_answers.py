"""Blocks with rows that the model answers, refuses, or crashes on."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from registry.manifest import Column, Signature
from telemetry.errors import ArtifactMissing, ModelError
from workers.jobs.block_answers import AnsweredBlock, answer_block, ask_model
from workers.jobs.tables.spans import Block

SIGNATURE = Signature((Column("a"),), True, False, ("predict", "predict_proba"), outputs=2)


def model(refused: float | None = None, error: Exception | None = None) -> Any:
    """A classifier with two outputs and probabilities, as scikit-learn's."""

    def call(features: Any, rows: slice) -> Any:
        given = features[rows]
        assert len(given)
        if (given == refused).any():
            raise error or ModelError("no")
        pairs = np.column_stack([given, 1 - given])
        return {"predict": pairs, "predict_proba": [pairs, pairs]}

    return SimpleNamespace(answer=call, manifest=SimpleNamespace(signature=SIGNATURE))


def block(*values: float | None) -> Block:
    """A block with a row for each value; None is a row that cannot be read."""
    good = [index for index, value in enumerate(values) if value is not None]
    features = np.array([values[index] for index in good]) if good else None
    made = Block(features, np.array(good, np.int64), range(1, len(values) + 1), None, None, [])
    bad = [index for index in range(len(values)) if index not in good]
    made.bad.extend(made.bad_row(index, "invalid_features", "what?") for index in bad)
    return made


def answered(model: Any, block: Block, *lived: range) -> AnsweredBlock:
    """The result for a block in which these ranges of good rows did not crash."""
    return answer_block(
        model, block, [piece for rows in lived for piece in ask_model(model, block, rows)]
    )


def test_rows_fail_for_reasons_of_their_own() -> None:
    rows = block(0.0, None, 2.0, 3.0, 4.0)
    made = answered(model(refused=4.0), rows, range(2), range(3, 4))
    assert [(row.line, row.code) for row in made.bad] == [
        (2, "invalid_features"),
        (4, "worker_lost"),
        (5, "model_error"),
    ]
    assert made.table(())["prediction_0"].to_pylist() == [0.0, None, 2.0, None, None]


def test_error_without_a_guilty_row_is_raised() -> None:
    with pytest.raises(ArtifactMissing):
        answered(model(1.0, ArtifactMissing()), block(0.0, 1.0), range(2))


@pytest.mark.parametrize("values", [(None, None), (4.0, 4.0)])
def test_block_without_any_answer_has_the_same_columns(values: tuple[float | None, ...]) -> None:
    names = tuple(answered(model(), block(0.5, 1.0), range(2)).columns)
    assert len(names) == 6
    good = sum(value is not None for value in values)
    table = answered(model(refused=4.0), block(*values), range(good)).table(names)
    assert table.column_names == list(names)
    assert table.num_rows == 2
