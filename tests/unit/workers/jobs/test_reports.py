"""The column names kept with a job have a bounded length."""

import pytest
from msgspec.structs import replace

from registry.manifest import Column, Signature
from tasks.jobs.job import MAX_MESSAGE_CHARS, JobError
from telemetry.errors import InvalidInput
from workers.jobs.tables.matching import (
    MAX_COLUMNS,
    MAX_COPIED,
    MAX_NAMES_CHARS,
    Selection,
    match,
)
from workers.jobs.validation.validating import MAX_SHOWN_CHARS, shown_names

ONE = Selection(Signature((Column("a"),), True, False, ("predict",)))


def test_report_shows_the_first_columns() -> None:
    assert shown_names(["a", "b"]) == ("a", "b")
    names = [f"column {n}" for n in range(MAX_COLUMNS)]
    found = shown_names(names)
    assert list(found) == names[: len(found)]
    assert MAX_SHOWN_CHARS // 2 < sum(map(len, found)) < MAX_SHOWN_CHARS
    assert shown_names(["x" * MAX_SHOWN_CHARS, "a"]) == ()


@pytest.mark.parametrize("names", [["a"] * (MAX_COLUMNS + 1), ["a", "x" * MAX_NAMES_CHARS]])
def test_file_of_too_many_or_too_long_columns_is_refused(names: list[str]) -> None:
    with pytest.raises(InvalidInput, match="too many columns or too long names"):
        match(ONE, names)


def test_file_with_more_columns_than_can_be_copied_is_refused_or_only_read() -> None:
    names = ["a", *map(str, range(MAX_COPIED))]
    assert match(ONE, names).features == [0]
    with pytest.raises(InvalidInput, match="copies at most 8192 columns, and the file has 8193"):
        match(replace(ONE, pass_through=True), names)


def test_error_message_of_a_job_is_bounded() -> None:
    error = JobError.of(InvalidInput(f"there are two columns {'x' * 10**6}"))
    assert len(error.message) == MAX_MESSAGE_CHARS
