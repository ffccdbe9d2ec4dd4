"""A version is removed while it is paused: parked predictions fail, and nothing of it stays."""

import joblib
import pytest
from click.testing import CliRunner

from cli.ghosts import remove_all_ghosts
from cli.main import main
from registry.changes import Changes
from registry.store import Registry
from tasks.ledger.ledger import connect
from tests.integration.damaged_versions import ROW, Artifact, fail_until_paused, paused
from tests.support.models import Doubling, Touchy, register
from tests.support.stack import LiveStack, until

pytestmark = pytest.mark.slow


class Unimportable(Doubling):
    """A model of this module, which no worker can import."""


def models_of_stats(stack: LiveStack) -> set[str]:
    return {entry["model"] for entry in stack.http.get("/stats").json()["predictions"]}


def test_removed_version_keeps_nothing_waiting(tmp_path, start) -> None:
    for name, model in (("damaged", Doubling()), ("parked", Touchy()), ("other", Touchy())):
        register(tmp_path, name, model, [ROW])
    Artifact(tmp_path, "damaged:1").damage()
    stack = start(processes=1, PREDICTQ_BREAKER_FAILURES="2", PREDICTQ_PROBE_AFTER="300")
    fail_until_paused(stack, "damaged")
    with stack.frozen("worker"):
        ids = [stack.submit("parked", ROW)["id"] for _ in range(3)]
        assert stack.owner.post("/models/parked/versions/1/pause").is_success
    until(lambda: paused(stack)["parked:1"]["parked"] == 3, "parked")
    assert stack.http.get("/ready").json()["waiting_for"] == "paused"

    environment = {"PREDICTQ_HOME": str(tmp_path), "REDIS_URL": stack.redis_url}
    told = CliRunner(env=environment).invoke(main, ["models", "remove", "parked"])

    assert told.output == "removed parked:1\n3 parked predictions of parked:1 fail now\n"
    errors = [stack.outcome(task_id)["error"]["code"] for task_id in ids]
    assert set(errors) <= {"model_not_found", "version_not_found"}

    Changes(Registry(tmp_path)).remove("damaged")  # without telling Redis

    assert stack.http.get("/ready").json() == {"ready": True, "redis": True, "workers": 1}
    assert paused(stack) == {}
    assert not models_of_stats(stack) & {"damaged", "parked"}
    assert "damaged" not in stack.http.get("/metrics").text
    assert stack.http.get("/dead-letters").json()["kept"] == 2

    remove_all_ghosts(tmp_path, stack.redis_url)  # as the next `up` does

    assert stack.http.get("/dead-letters").json()["kept"] == 0
    assert stack.predict("other", ROW) == [2.0]


def test_version_that_could_not_be_added_leaves_nothing(tmp_path, start) -> None:
    register(tmp_path, "other", Touchy(), [ROW])
    stack = start(processes=1, PREDICTQ_BREAKER_FAILURES="1")
    joblib.dump(Unimportable(), tmp_path / "m.joblib")
    stack.parts.write()
    try:
        arguments = ["models", "add", "m", str(tmp_path / "m.joblib"), "--trust"]
        told = CliRunner().invoke(main, [*arguments, "--home", str(tmp_path)])
    finally:
        stack.parts.erase()

    assert told.exit_code == 1
    assert told.stderr.startswith("error: the stack cannot serve m:1: ")
    assert "m:1 cannot be loaded: it needs the module 'test_removed_versions'" in told.stderr
    assert stack.http.get("/dead-letters").json()["kept"] == 0
    assert paused(stack) == {}
    assert "waiting_for" not in stack.http.get("/ready").json()
    assert connect(stack.redis_url).keys("predictq:*m:1*") == []
    assert stack.predict("other", ROW) == [2.0]
