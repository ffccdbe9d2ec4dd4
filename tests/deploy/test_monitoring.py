"""The committed configuration at work: metric → rule → alert → webhook, and every panel's query."""

import json
import re
import runpy
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import redis
from deployment import ROOT, UNPACKED, skip_with_warning, tool

from benchmarks.harness.processes import free_port
from tasks.alerts.rules.alert import all_alerts
from tasks.alerts.rules.prometheus import prometheus_name
from tasks.ledger import keys
from tests.support.stack import LiveStack, until

pytestmark = pytest.mark.slow

DEPLOY = ROOT / "deploy"
DASHBOARD = DEPLOY / "grafana" / "predictq.json"
IRIS = [5.8, 2.8, 5.1, 2.4]


class Webhook(ThreadingHTTPServer):
    """Takes what Alertmanager sends: path → bodies."""

    taken: list[tuple[str, Any]]


class Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append((self.path, json.loads(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def webhook() -> Iterator[Webhook]:
    with Webhook(("127.0.0.1", 0), Handler) as server:
        server.taken = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def templates_of_alertmanager() -> Iterator[None]:
    """Have Alertmanager find its templates, if it was unpacked and not installed."""
    link = Path("/usr/share/prometheus")
    if link.exists():
        yield
        return
    tool("prometheus-alertmanager")
    try:
        link.symlink_to(UNPACKED / "usr" / "share" / "prometheus")
    except PermissionError:
        skip_with_warning("Alertmanager is not installed, and its templates have a fixed path")
    try:
        yield
    finally:
        link.unlink()


@contextmanager
def program(name: str, directory: Path, *options: str) -> Iterator[None]:
    with (directory / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [tool(name), *options], cwd=directory, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


def changed(file: Path, directory: Path, **changes: str) -> Path:
    """A copy of a committed file with addresses and times of the test."""
    text = file.read_text()
    for before, after in changes.values():
        assert before in text, before
        text = text.replace(before, after)
    copy = directory / file.name
    copy.write_text(text)
    return copy


@pytest.fixture(scope="module")
def prometheus(
    stack: LiveStack, webhook: Webhook, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx2.Client]:
    """A real Prometheus with our configuration, which tells a real Alertmanager with ours."""
    home = tmp_path_factory.mktemp("monitoring")
    asking, telling = free_port(), free_port()
    (home / "slack_url").write_text(f"http://127.0.0.1:{webhook.server_port}/slack")
    (home / "smtp_password").write_text("none")
    changed(DEPLOY / "prometheus" / "rules.yml", home)
    config = changed(
        DEPLOY / "prometheus" / "prometheus.yml",
        home,
        target=("api:5000", urlsplit(stack.url).netloc),
        alertmanager=("alertmanager:9093", f"127.0.0.1:{telling}"),
        often=("scrape_interval: 15s", "evaluation_interval: 1s\n  scrape_interval: 1s"),
        within=("scrape_timeout: 5s", "scrape_timeout: 1s"),
    )
    receivers = changed(
        DEPLOY / "alertmanager" / "alertmanager.yml",
        home,
        secrets=("_file: /run/secrets", f"_file: {home}"),
        webhook=("http://on-call.example.com", f"http://127.0.0.1:{webhook.server_port}"),
        at_once=("group_wait: 30s", "group_wait: 0s"),
    )
    with ExitStack() as running, httpx2.Client(base_url=f"http://127.0.0.1:{asking}") as client:
        running.enter_context(templates_of_alertmanager())
        alone = ("--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{telling}")
        told = (f"--config.file={receivers}", f"--storage.path={home / 'alerts'}")
        running.enter_context(program("prometheus-alertmanager", home, *told, *alone))
        kept = (f"--config.file={config}", f"--storage.tsdb.path={home / 'series'}")
        listening = f"--web.listen-address=127.0.0.1:{asking}"
        running.enter_context(program("prometheus", home, *kept, listening))
        until(lambda: rows(client, "up == 1"), "the first scrape")
        yield client


def rows(client: httpx2.Client, query: str) -> list[Any]:
    """What a query returns; none while Prometheus does not answer."""
    try:
        answer = client.get("/api/v1/query", params={"query": query})
    except httpx2.HTTPError:
        return []
    assert answer.status_code in (200, 503), answer.text
    return answer.json()["data"]["result"] if answer.status_code == 200 else []


def test_lost_prediction_is_told_to_webhook_and_slack(
    stack: LiveStack, prometheus: httpx2.Client, webhook: Webhook
) -> None:
    task_id = stack.submit("iris", IRIS)["id"]
    assert stack.outcome(task_id)["status"] == "succeeded"
    with redis.Redis.from_url(stack.redis_url) as client:
        client.delete(keys.record(task_id))
    assert stack.http.get(f"/predict/result/{task_id}").json()["code"] == "lost"
    name = prometheus_name(all_alerts()["lost"])

    def told(path: str) -> list[Any]:
        return [b for p, b in webhook.taken if p == path and name in json.dumps(b)]

    until(lambda: told("/alerts") and told("/slack"), "the notification")
    (alert,) = (a for a in told("/alerts")[0]["alerts"] if a["labels"]["alertname"] == name)
    assert alert["labels"]["severity"] == "page"
    assert alert["annotations"]["runbook_url"].endswith("/console/runbooks/lost")
    assert "runbooks/lost" in json.dumps(told("/slack")[0])


def test_every_panel_of_the_dashboard_has_rows(stack: LiveStack, prometheus: httpx2.Client) -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    queries = {target["expr"] for panel in panels for target in panel.get("targets", ())}
    assert len(queries) > 20
    left = queries

    def all_have_rows() -> bool:
        nonlocal left
        assert stack.outcome(stack.submit("iris", IRIS)["id"])["status"] == "succeeded"
        left = {q for q in left if not rows(prometheus, q.replace("$__rate_interval", "30s"))}
        return not left

    try:
        until(all_have_rows, "rows of every query", pause=0.5)
    except AssertionError:
        raise AssertionError(f"no rows: {left}") from None


def test_committed_dashboard_is_that_of_the_code() -> None:
    made = runpy.run_path(str(DEPLOY / "grafana" / "dashboard.py"))["dashboard"]()
    assert json.loads(DASHBOARD.read_text()) == made


def test_alerts_that_are_inhibited_exist() -> None:
    names = {prometheus_name(alert) for alert in all_alerts().values()}
    text = (DEPLOY / "alertmanager" / "alertmanager.yml").read_text()
    for pattern in re.findall(r'alertname !?=~? "([^"]+)"', text):
        for each in pattern.split("|"):
            assert any(re.fullmatch(each, name) for name in names), each
