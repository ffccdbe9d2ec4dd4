"""The watch of a real stack: from a metric to a notification, and from Redis to a command."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from api.watch.notifying import Notifier
from api.watch.running import watch_of
from cli.main import main
from tasks.alerts.rules.alert import all_alerts
from tests.support.stack import LiveStack

HOUR = 3600.0
IRIS = [5.8, 2.8, 5.1, 2.4]


class Webhook(ThreadingHTTPServer):
    """Takes notifications, or refuses them with this status."""

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.taken = status, list[dict[str, Any]]()

    @property
    def url(self) -> str:
        return f"json://operator:secret@127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def webhook(status: int = 200) -> Iterator[Webhook]:
    with Webhook(status) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def paused(stack: LiveStack) -> Iterator[httpx2.Client]:
    assert stack.owner.post("/models/diabetes/versions/1/pause").is_success
    yield stack.owner
    stack.owner.post("/models/diabetes/versions/1/resume")


def test_pause_is_told_to_a_webhook_once_and_so_is_its_end(
    stack: LiveStack, paused: httpx2.Client
) -> None:
    with webhook() as taken, webhook(500) as refusing:
        watch = watch_of(stack.url, stack.redis_url, Notifier([refusing.url, taken.url]))
        now = time.time()
        for later in (0.0, HOUR, HOUR + 5, HOUR + 10):
            watch.look(now + later)
        told = [each for each in taken.taken if "paused" in each["title"]]
        assert len(told) == 1
        assert "diabetes:1 is paused by an operator" in told[0]["message"]
        assert all_alerts()["version-paused-by-operator"].remedy in told[0]["message"]
        assert paused.post("/models/diabetes/versions/1/resume").is_success
        watch.look(now + HOUR + 15)
        watch.close()
        assert "resolved: version-paused-by-operator" in taken.taken[-1]["title"]


def test_alerts_are_listed_by_the_command(stack: LiveStack, paused: httpx2.Client) -> None:
    stack.parts.write()
    try:
        watch = watch_of(stack.url, stack.redis_url, Notifier([]))
        watch.look(time.time())
        told = CliRunner().invoke(main, ["alerts", "list", "--home", str(stack.home), "--json"])
        watch.close()
    finally:
        stack.parts.erase()
    found = json.loads(told.output)
    assert found["watched"]
    named = [a for a in found["alerts"] if a["name"] == "version-paused-by-operator"]
    assert [(a["level"], a["labels"][0]) for a in named] == [("pending", ["model", "diabetes"])]


def test_trial_names_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    with webhook() as taken, webhook(500) as refusing:
        monkeypatch.setenv("PREDICTQ_NOTIFY", f"{taken.url} {refusing.url} nonsense://a:b")
        told = CliRunner().invoke(main, ["alerts", "try"])
    assert told.exit_code == 1
    assert told.output.splitlines()[:3] == [
        "sent  json (URL 1)",
        "failed  json (URL 2)",
        "failed  nonsense (URL 3)",
    ]
    assert "secret" not in told.output
    assert "a trial" in taken.taken[0]["title"]


def test_metrics_of_the_rules_are_served(stack: LiveStack) -> None:
    assert stack.outcome(stack.submit("iris", IRIS)["id"])["status"] == "succeeded"
    served = {
        sample.name
        for family in text_string_to_metric_families(stack.http.get("/metrics").text)
        for sample in family.samples
    }
    wanted = {s.name for alert in all_alerts().values() for s in alert.condition.selectors}
    # Only while there is something to say: a pause, a canary, a bound of Redis, a drift.
    sometimes = {"predictq_paused", "predictq_canary_age_seconds", "predictq_drifted_features"}
    assert wanted - served - sometimes <= {"up", "predictq_queue_oldest_seconds"}
