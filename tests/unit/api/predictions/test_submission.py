"""The time limits of a submission are bounded on both sides."""

import json

import pytest

from api.predictions.submission import parse_submission
from tasks.time_limits import MAX_RUN_SECONDS, MIN_RUN_SECONDS
from telemetry.errors import Invalid


def body(seconds: float) -> bytes:
    return json.dumps({"model": "m", "features": [1], "timeout_seconds": seconds}).encode()


@pytest.mark.parametrize("seconds", [1e-9, 0, -1, MIN_RUN_SECONDS / 2, MAX_RUN_SECONDS + 1])
def test_time_limit_below_the_least_is_refused(seconds: float) -> None:
    with pytest.raises(Invalid) as refused:
        parse_submission(body(seconds), 1)
    assert refused.value.errors[0].loc == ("timeout_seconds",)


@pytest.mark.parametrize("seconds", [MIN_RUN_SECONDS, 1, MAX_RUN_SECONDS])
def test_valid_limits_are_taken(seconds: float) -> None:
    assert parse_submission(body(seconds), 1).timeout_seconds == seconds
