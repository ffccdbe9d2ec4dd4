"""The column names kept with a job have a bounded length."""

import pytest

from registry.manifest import Column, Signature
from tasks.jobs.job import LONGEST_MESSAGE, JobError
from telemetry.errors import InvalidInput
from workers.jobs.tables.features.matching import MOST_COLUMNS, MOST_LETTERS, Selection, match
from workers.jobs.validation.validating import MOST_NAMES, shown

ONE = Selection(Signature((Column("a"),), True, False, ("predict",)))


def test_report_shows_the_first_columns() -> None:
    assert shown(["a", "b"]) == ("a", "b")
    names = [f"column {n}" for n in range(MOST_COLUMNS)]
    found = shown(names)
    assert list(found) == names[: len(found)]
    assert MOST_NAMES // 2 < sum(map(len, found)) < MOST_NAMES
    assert shown(["x" * MOST_NAMES, "a"]) == ()


@pytest.mark.parametrize("names", [["a"] * (MOST_COLUMNS + 1), ["a", "x" * MOST_LETTERS]])
def test_file_of_too_many_or_too_long_columns_is_refused(names: list[str]) -> None:
    with pytest.raises(InvalidInput, match="too many or too long columns"):
        match(ONE, names)


def test_error_message_of_a_job_is_bounded() -> None:
    error = JobError.of(InvalidInput(f"there are two columns {'x' * 10**6}"))
    assert len(error.message) == LONGEST_MESSAGE
