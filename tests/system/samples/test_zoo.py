"""Models of the zoo, registered with a sample, answer through every door as by themselves."""

from pathlib import Path

import pytest

from benchmarks.zoo.all import BY_NAME
from benchmarks.zoo.exhibits.company import Company
from benchmarks.zoo.visiting import visit
from predictq import Client
from tests.support.stack import LiveStack

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        ("titanic_titles", "csv"),
        ("churn_by_dates", "parquet"),
        ("boolean_labels", "parquet"),
        ("dates_as_answers", "parquet"),
        ("nullable_dtypes", "parquet"),
    ],
)
def test_doors_answer_as_the_model(
    name: str, sample: str, scoring: LiveStack, tmp_path: Path
) -> None:
    with Client(scoring.url) as client:
        company = Company(scoring.home, client, scoring.url)
        seen = visit(company, name, BY_NAME[name](), sample, tmp_path)
    assert seen.registered == "registered"
    assert not seen.lost
    told = {door: f"{found}: {found.words}" for door, found in seen.doors.items()}
    assert seen.is_equal, told
