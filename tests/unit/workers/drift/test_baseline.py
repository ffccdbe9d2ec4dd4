"""A sample and the same rows as callers send them are counted alike, whatever the columns hold."""

import datetime as dt
import json
from decimal import Decimal

import joblib
import numpy as np
import pandas as pd
import pytest

from registry.baseline import Baseline, BaselineFeature
from registry.manifest import Column, Manifest, Signature
from registry.store import Registry
from workers.drift.counter import COUNTED_BYTES, COUNTED_ROWS, WRITE_SECONDS, DriftCounter
from workers.drift.describing import COUNTED_COLUMNS, MIN_SAMPLE_ROWS, baseline_of
from workers.gate.doors import json_rows
from workers.models.registration import examine
from workers.models.signature.own_answers import OwnAnswers
from workers.models.tabular.table import Table

RNG = np.random.default_rng(0)
ROWS = 300


def some_missing(values: object, share: float = 0.1) -> pd.Series:
    return pd.Series(values).mask(RNG.random(ROWS) < share)


FRAME = pd.DataFrame(
    {
        "number": RNG.normal(size=ROWS),
        "gaps": some_missing(RNG.normal(size=ROWS)),
        "small": RNG.integers(0, 3, ROWS) / np.float32(10),
        "whole": RNG.integers(0, 5, ROWS),
        "nullable": some_missing(RNG.integers(0, 50, ROWS)).astype("Int64"),
        "flag": RNG.random(ROWS) < 0.2,
        "town": some_missing(RNG.choice(["Bern", "Kyiv", "Oslo"], ROWS)),
        "plan": pd.Categorical(some_missing(RNG.choice(["a", "b"], ROWS))),
        "seen": some_missing(
            pd.date_range("2026-01-01", periods=ROWS, freq="h").to_series(), 0.05
        ).set_axis(range(ROWS)),
        "zoned": pd.date_range("2026-01-01", periods=ROWS, freq="h", tz="Europe/Kyiv"),
        "took": pd.to_timedelta(RNG.integers(0, 99, ROWS), unit="s"),
        "day": [dt.date(2026, 1, 1) + dt.timedelta(days=int(i)) for i in RNG.integers(0, 90, ROWS)],
        "price": [Decimal(int(i)) / 4 for i in RNG.integers(0, 99, ROWS)],
        "id": [f"row {i}" for i in range(ROWS)],
    }
).astype({"small": "float32"})


class Adder:
    """Answers with a number; takes any frame."""

    def __init__(self) -> None:
        self.feature_names_in_ = FRAME.columns.to_numpy()

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return rows["number"].to_numpy() * 2.0

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        yes = 1 / (1 + np.exp(-rows["number"].to_numpy(dtype=float)))
        return np.column_stack([1 - yes, yes])


class Counts:
    """Keeps what would be added in Redis."""

    def __init__(self) -> None:
        self.added: list[tuple[str, str, dict[int, int]]] = []

    def add(self, version: str, digest: str, counts: dict[int, int]) -> None:
        self.added.append((version, digest, dict(counts)))


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> tuple[Registry, Manifest, Baseline]:
    home = tmp_path_factory.mktemp("home")
    joblib.dump(Adder(), home / "adder.joblib")
    found = examine(home / "adder.joblib", trust=True, sample=FRAME)
    baseline = baseline_of(found.description.signature, found.inspected.own_answers)
    assert baseline is not None
    registry = Registry(home)
    manifest = registry.add("m", found.description, found.content, baseline=baseline)
    return registry, manifest, registry.baseline(manifest) or Baseline(0, ())


def counted(version: tuple[Registry, Manifest, Baseline], *frames: pd.DataFrame) -> Counts:
    registry, manifest, _ = version
    counts = Counts()
    counter = DriftCounter(registry, counts)
    for frame in frames:
        # As callers write them, and as the API reads them.
        sent = json.loads(json.dumps(json_rows(manifest.signature, frame)))
        rows = [[row[column.name] for column in manifest.signature.columns] for row in sent]
        table = Table.of(manifest.signature, rows)
        model = Adder()
        answers = {"predict": model.predict(frame), "predict_proba": model.predict_proba(frame)}
        counter.note(manifest, table, answers)
    assert counter.waits
    counter.write()
    assert not counter.waits
    return counts


def feature_counts(baseline: Baseline, counts: dict[int, int]) -> dict[str, tuple[int, ...]]:
    return {
        feature.name: tuple(counts.get(start + i, 0) for i in range(len(feature.counts)))
        for start, feature in zip(baseline.starts, baseline.features, strict=False)
    }


def test_sample_is_counted_as_its_baseline(version) -> None:
    _, _, baseline = version
    (added,) = counted(version, FRAME).added
    assert added[:2] == ("m:1", baseline.digest)
    known = {feature.name: feature.counts for feature in baseline.features}
    assert feature_counts(baseline, added[2]) == known
    assert all(sum(counts) == ROWS for counts in known.values())
    assert {*known} == {*FRAME.columns, "predict", "predict_proba of 0", "predict_proba of 1"}


def test_rows_of_many_requests_are_counted_together(version) -> None:
    (one,) = counted(version, FRAME[:90]).added
    (several,) = counted(version, *(FRAME[i : i + 1] for i in range(90))).added
    assert several == one


def test_buckets_say_what_is_missing_strange_and_outside(version) -> None:
    _, _, baseline = version
    odd = FRAME[:4].assign(
        town=["Lima", "Bern", None, "Oslo"],
        number=[99.0, -99.0, 0.0, 0.0],
        plan=pd.Categorical(["a"] * 4),
    )
    ((_, _, counts),) = counted(version, odd).added
    found = feature_counts(baseline, counts)
    features = {feature.name: feature for feature in baseline.features}
    town = dict(zip(("missing", "other", *features["town"].names), found["town"], strict=True))
    assert town == {"missing": 1, "other": 1, "Bern": 1, "Oslo": 1, "Kyiv": 0}
    assert (found["number"][0], found["number"][1], found["number"][-1]) == (0, 1, 1)
    assert features["id"].names == ()  # each value is there once: no bucket of its own
    assert features["id"].counts == (0, ROWS)


def test_small_sample_has_no_features(version) -> None:
    registry, manifest, _ = version
    own = examine(registry.home / "adder.joblib", trust=True, sample=FRAME[: MIN_SAMPLE_ROWS - 1])
    found = baseline_of(own.description.signature, own.inspected.own_answers)
    assert found == Baseline(MIN_SAMPLE_ROWS - 1, ())
    assert baseline_of(manifest.signature, None) is None


def test_rows_beyond_the_bound_are_left_out_evenly(version) -> None:
    _, _, baseline = version
    times = 3 * COUNTED_ROWS // ROWS
    (added,) = counted(version, FRAME[:10], *[pd.concat([FRAME] * times)] * 2).added
    rows = {sum(counts) for counts in feature_counts(baseline, added[2]).values()}
    assert rows == {COUNTED_ROWS}


def test_rows_are_not_counted_before_the_version_is_ready(version) -> None:
    registry, manifest, _ = version
    registry.set_state(manifest, registry.readiness(manifest).with_status("checking"))
    try:
        assert counted(version, FRAME[:5]).added == []
    finally:
        registry.set_state(manifest, registry.readiness(manifest).with_status("ready"))
    assert len(counted(version, FRAME[:5]).added) == 1


def test_counter_writes_once_in_a_while(version) -> None:
    registry, manifest, _ = version
    now, counts = [0.0], Counts()
    counter = DriftCounter(registry, counts, lambda: now[0])
    table = Table.of(manifest.signature, [[None] * len(manifest.signature.columns)])
    for moment in 0.0, WRITE_SECONDS, WRITE_SECONDS + 1:
        now[0] = moment
        counter.note(manifest, table, {})
        counter.write_if_due()
    assert len(counts.added) == 1
    assert not counter.waits


def test_rows_of_long_texts_are_kept_within_a_budget(version) -> None:
    registry, manifest, baseline = version
    counts, size = Counts(), 2**20
    counter = DriftCounter(registry, counts)
    row = [None] * (len(manifest.signature.columns) - 1)
    table = Table.of(manifest.signature, [[*row, "x" * size]])
    for _ in range(2 * COUNTED_BYTES // size):
        counter.note(manifest, table, {})
    counter.write()
    ((_, _, added),) = counts.added
    first = sum(amount for place, amount in added.items() if place < baseline.starts[1])
    assert first == COUNTED_BYTES // size


def test_answers_are_kept_within_a_budget_with_their_rows(version) -> None:
    registry, manifest, baseline = version
    counts = Counts()
    counter = DriftCounter(registry, counts)
    table = Table.of(manifest.signature, [[None] * len(manifest.signature.columns)])
    halves = [np.zeros((1, COUNTED_BYTES // 16)) for _ in range(2)]
    for _ in range(3):
        counter.note(manifest, table, {"predict": halves})
    counter.write()
    ((_, _, added),) = counts.added
    assert sum(amount for place, amount in added.items() if place < baseline.starts[1]) == 1


def test_wide_models_are_counted_in_part() -> None:
    frame = pd.DataFrame(np.zeros((MIN_SAMPLE_ROWS, COUNTED_COLUMNS + 5))).rename(columns=str)
    columns = tuple(Column(name) for name in frame.columns)
    signature = Signature(columns, named=True, frame=True, methods=("predict",))
    own = OwnAnswers(frame, columns, True, False, {})
    found = baseline_of(signature, own)
    assert found is not None
    assert len(found.features) == COUNTED_COLUMNS
    # A constant has a bucket of its own; what differs from it is below or above.
    assert found.features[0] == BaselineFeature(
        "0", "column", (0, 0, MIN_SAMPLE_ROWS, 0), edges=(float(np.nextafter(0, -1)), 0.0)
    )
