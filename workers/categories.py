"""What a fitted estimator's encoders say about its columns: one value that each takes."""

from collections.abc import Iterator
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from registry.diagnosis import is_missing


def known_values(estimator: Any) -> dict[int, Any]:
    """Position of an encoded column → a category that was seen in it at fit."""
    return dict(_known(estimator))


def _known(estimator: Any) -> Iterator[tuple[int, Any]]:
    if hasattr(estimator, "best_estimator_"):
        yield from _known(estimator.best_estimator_)
    elif isinstance(estimator, Pipeline):
        yield from _in_pipeline(estimator)
    elif isinstance(estimator, ColumnTransformer):
        yield from _in_transformers(estimator)
    elif isinstance(estimator, HistGradientBoostingClassifier | HistGradientBoostingRegressor):
        yield from _known(estimator._preprocessor)  # noqa: SLF001 - no public way to its encoder
    elif hasattr(estimator, "categories_"):
        yield from _in_encoder(estimator)


def _in_pipeline(pipeline: Pipeline) -> Iterator[tuple[int, Any]]:
    for _, step in pipeline.steps:
        yield from _known(step)
        # Past a step that may reorder columns, positions mean nothing any more.
        if not isinstance(step, SimpleImputer | str | None):
            return


def _in_transformers(transformer: ColumnTransformer) -> Iterator[tuple[int, Any]]:
    positions: dict[str, list[int]] = getattr(transformer, "_transformer_to_input_indices", {})
    for name, part, _ in transformer.transformers_:
        for position, value in _known(part):
            yield positions[name][position], value


def _in_encoder(encoder: Any) -> Iterator[tuple[int, Any]]:
    for position, categories in enumerate(encoder.categories_):
        seen = [value for value in categories.tolist() if not is_missing(value)]
        if seen:
            yield position, seen[0]
