"""A server that refuses whatever it is asked is told from one that refuses what it was asked."""

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
def test_by_whoever_it_is_quoted(told: str) -> None:
    assert is_refusal(redis.ResponseError(told))


@pytest.mark.parametrize("told", ["WRONGTYPE Operation against a key", "no MISCONF", "ERR BUSYKEY"])
def test_what_is_wrong_with_a_command_is_none(told: str) -> None:
    assert not is_refusal(redis.ResponseError(told))
