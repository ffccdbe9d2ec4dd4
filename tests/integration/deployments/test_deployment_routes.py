"""Deployments over HTTP and by the client, on a stack that starts no workers for them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from predictq import Client, Conflict, InvalidRequest, NotFound, Unavailable
from registry.changes import Changes
from registry.store import Registry
from tests.support.stack import LiveStack, until

ROW = [5.1, 3.5, 1.4, 0.2]
ENVIRONMENT = "isolated"
NAME = f"iris@{ENVIRONMENT}"


@pytest.fixture
def client(stack: LiveStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("PREDICTQ_HOME", str(stack.home))
    stack.parts.write()  # by which the client finds the local key
    with Client(stack.url) as client:
        yield client
    stack.parts.erase()


@pytest.fixture
def made(stack: LiveStack, client: Client) -> Iterator[dict[str, Any]]:
    yield client.deployments.deploy("iris", 1, ENVIRONMENT, concurrency=2, timeout=20)
    if client.deployments():
        client.deployments.delete("iris", ENVIRONMENT)
    Changes(Registry(stack.home)).remove_alias("iris", ENVIRONMENT)


def test_deployment_without_a_worker_is_served_by_the_shared_ones(
    made: dict[str, Any], client: Client, stack: LiveStack
) -> None:
    assert (made["version"], made["status"], made["processes"]) == (1, "starting", 0)
    answer = client.predict(NAME, [ROW])
    assert (answer.predictions, answer.receipt.environment) == ([0], None)
    # One window of a bulk request, for two queues.
    lines = [{"model": model, "features": ROW} for model in (NAME, "iris", NAME)]
    answered = stack.http.post("/predict/async", json={"requests": lines}).text.splitlines()
    ids = [json.loads(line)["id"] for line in answered]
    assert [stack.outcome(each)["predictions"] for each in ids] == [[0]] * 3


def test_deployment_is_scaled_stopped_started_and_deleted(
    made: dict[str, Any], client: Client
) -> None:
    scaled = client.deployments.scale("iris", ENVIRONMENT, cpu_limit=0.5, why="quiet")
    assert (scaled["concurrency"], scaled["cpu_limit"], scaled["timeout"]) == (2, 0.5, 20)
    assert client.deployments.stop("iris", ENVIRONMENT)["status"] == "stopped"
    with pytest.raises(Unavailable) as refused:
        client.submit(NAME, [ROW])
    assert (refused.value.code, refused.value.retryable) == ("deployment_stopped", True)
    assert client.deployments.start("iris", ENVIRONMENT)["state"] == "running"
    assert client.deployments() == [client.deployments.show("iris", ENVIRONMENT)]
    client.deployments.delete("iris", ENVIRONMENT)
    assert client.predict(NAME, [ROW]).predictions == [0]
    with pytest.raises(NotFound, match="iris@isolated has no deployment"):
        client.deployments.show("iris", ENVIRONMENT)
    acts = [each["act"] for each in client.models.history("iris", limit=5)["data"]]
    assert acts == ["undeployed", "started", "stopped", "scaled", "deployed"]


def test_requests_wait_for_a_stopped_deployment_that_keeps_them(
    made: dict[str, Any], client: Client
) -> None:
    client.deployments.scale("iris", ENVIRONMENT, when_stopped="wait")
    client.deployments.stop("iris", ENVIRONMENT)
    pending = client.submit(NAME, [ROW])
    waiting = until(lambda: client.deployments.show("iris", ENVIRONMENT)["waiting"], "it waits")
    assert waiting == 1
    client.deployments.start("iris", ENVIRONMENT)
    assert pending.result(wait=20).status == "succeeded"


def test_what_a_deployment_serves_is_kept(made: dict[str, Any], client: Client) -> None:
    with pytest.raises(Conflict, match="what would be removed is in use"):
        client.models.remove("iris", 1)
    with pytest.raises(Conflict, match="has a deployment: delete that first"):
        client.models.remove_alias("iris", ENVIRONMENT)


@pytest.mark.parametrize(
    "limits", [{"concurrency": 0}, {"memory_limit": 2**28}, {"cpu_limit": -1}, {"timeouts": 1}]
)
def test_limits_that_do_not_fit_are_refused(
    made: dict[str, Any], client: Client, limits: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest):
        client.deployments.scale("iris", ENVIRONMENT, **limits)
    assert client.deployments.show("iris", ENVIRONMENT)["concurrency"] == 2


def test_metrics_and_statistics_include_the_queue(
    made: dict[str, Any], client: Client, stack: LiveStack
) -> None:
    client.deployments.scale("iris", ENVIRONMENT, when_stopped="wait")
    client.deployments.stop("iris", ENVIRONMENT)
    pending = client.submit(NAME, [ROW])
    assert stack.http.get("/stats").json()["queues"][f"predict:{NAME}"] == 1
    scraped = stack.http.get("/metrics").text
    assert f'predictq_queue_messages{{queue="predict:{NAME}"}} 1.0' in scraped
    wanted = 'predictq_deployment_concurrency{environment="isolated",model="iris"} 0.0'
    assert wanted in scraped
    client.deployments.delete("iris", ENVIRONMENT)  # to the shared queue
    assert pending.result(wait=20).status == "succeeded"
