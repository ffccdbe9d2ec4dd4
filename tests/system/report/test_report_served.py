"""A report of a stack that runs."""

import json
import time
from pathlib import Path

from click.testing import CliRunner

from cli.main import main
from tasks.ledger import keys
from tasks.ledger.ledger import connect
from tasks.timeline.call_sums import read_calls
from tasks.timeline.recording import Recorder
from tests.support.stack import LiveStack, until


def test_report_of_a_running_stack(stack: LiveStack, tmp_path: Path) -> None:
    run = CliRunner().invoke
    stack.parts.write()
    try:
        with connect(stack.redis_url) as client:
            # Nothing records meanwhile, without a bulk worker; those of earlier tests have.
            recorder = Recorder(client)
            client.delete(keys.TIMELINE, keys.TIMELINE_TOTALS, keys.TIMELINE_CLAIM)
            recorder.record_if_due(time.time())
            told = run(main, ["metrics", "export", "--home", str(stack.home)])
            assert "nothing is recorded of this period yet" in told.output
            (before,) = read_calls(client, ["iris:1"])
            stack.predict("iris", [5.8, 2.8, 5.1, 2.4])
            until(lambda: read_calls(client, ["iris:1"])[0].rows > before.rows, "calls are added")
            client.delete(keys.TIMELINE_CLAIM)
            recorder.record_if_due(time.time())
        told = run(main, ["metrics", "export", "--home", str(stack.home)])
        (iris,) = [v for v in json.loads(told.output)["versions"] if v["version"] == "iris:1"]
        assert iris["now"]["predictions"] >= 1
        assert iris["now"]["model_seconds"] > 0
        assert iris["now"]["queue_seconds"] > 0
        path = tmp_path / "report.html"
        assert run(main, ["report", "--home", str(stack.home), "-o", str(path)]).exit_code == 0
        assert "iris:1" in path.read_text()
    finally:
        stack.parts.erase()
