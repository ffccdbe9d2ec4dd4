"""Refusals of the server as a whole are told from errors of a single command."""

import pytest
import redis

from tasks.ledger.server.refusals import is_refusal

UNSAVED = "MISCONF Redis is configured to save RDB snapshots, but it is not able to"


@pytest.mark.parametrize(
    "told",
    [
        UNSAVED,
        f"Error running script (call to f_ab): @user_script:3: @user_script: 3: -{UNSAVED}",
        f"Command # 1 (EVALSHA ab 2 a b) of pipeline caused error: {UNSAVED}",
    ],
    ids=["server", "script", "pipeline"],
)
def test_refusal_is_recognized_in_quotes(told: str) -> None:
    assert is_refusal(redis.ResponseError(told))


@pytest.mark.parametrize("told", ["WRONGTYPE Operation against a key", "no MISCONF", "ERR BUSYKEY"])
def test_command_error_is_no_refusal(told: str) -> None:
    assert not is_refusal(redis.ResponseError(told))
