"""Models that leave something behind in their pool process harm no other prediction."""

import psutil

from tests.support.models import DEADLY, GUILTY
from tests.support.stack import LiveStack, until


def test_leaking_model_has_its_process_replaced_and_loses_nothing(unruly: LiveStack) -> None:
    before = {process.pid for process in unruly.pool()}
    # One after the other, as each microbatch leaks once.
    found = [unruly.outcome(unruly.submit("leaky", [GUILTY, 0.0])["id"]) for _ in range(12)]
    assert [outcome["predictions"] for outcome in found] == [[2 * GUILTY]] * 12
    assert {outcome["receipt"]["attempt"] for outcome in found} == {1}
    until(lambda: before - {process.pid for process in unruly.pool()}, "another process")
    log = (unruly.home / "logs" / "worker.log").read_text()
    assert "this process is replaced by another: it has grown by" in log


def test_end_of_a_process_is_noticed_although_its_model_forked(unruly: LiveStack) -> None:
    lost = unruly.outcome(unruly.submit("forking", [DEADLY, 0.0])["id"])
    assert lost["error"]["code"] == "worker_lost"
    forked = [int(pid) for pid in (unruly.home / "forked").read_text().split()]
    assert forked
    until(lambda: not any(map(psutil.pid_exists, forked)), "the end of what the model left behind")
    log = (unruly.home / "logs" / "worker.log").read_text()
    assert "processes that a model started and left behind" in log
