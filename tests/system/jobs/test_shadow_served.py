"""A shadow is asked as well, by the bulk worker; callers get the answers of the alias alone."""

from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from predictq import Client
from registry.store import Registry
from tasks.key_files import read_or_make_local_key
from tests.support.models import GUILTY, Doubling, Touchy, register
from tests.support.stack import LiveStack, until

X = np.random.default_rng(0).normal(size=(50, 2))


@pytest.fixture
def client(live: LiveStack) -> Iterator[Client]:
    with Client(live.url, key=read_or_make_local_key(live.home).decode()) as client:
        yield client


def shadowed(client: Client, name: str, rows: int):
    """The shadow, once so many rows were compared."""
    look = client.models.rollouts.shadow
    return until(
        lambda: state if (state := look(name))["rows"] == rows else None, "copies were compared"
    )


def test_shadow_is_compared_and_never_answers(live: LiveStack, client: Client) -> None:
    name = "shadowed"
    register(live.home, name, Doubling(), None, alias="production")
    register(live.home, name, Touchy(), None)
    register(live.home, name, LinearRegression().fit(X, 3 * X[:, 0]), None)
    rollouts = client.models.rollouts
    rollouts.set_shadow(name, 2, rate=100, why="to see")
    answer = client.predict(f"{name}@production", X)
    assert answer.receipt.version == 1
    state = shadowed(client, name, len(X))
    assert (state["disagreed"], state["failed"], state["version"]) == (0, 0, 2)
    failing = [[GUILTY, 0.0]] * 3
    assert client.predict(f"{name}@production", failing).predictions == [2 * GUILTY] * 3
    state = shadowed(client, name, len(X) + 3)
    assert (state["disagreed"], state["failed"]) == (3, 3)
    assert client.models.history(name)["data"][0]["act"] == "shadowed"
    rollouts.set_shadow(name, 3, rate=100)
    answer = client.predict(f"{name}@production", X[:40])
    assert answer.predictions == (2 * X[:40, 0]).tolist()
    state = shadowed(client, name, 40)
    assert state["disagreed"] > 30
    assert state["verdict"]["decision"] == "differs"
    assert len(state["path"]) == 1
    example = rollouts.disagreements(name)[0]
    assert example["shadow"] == pytest.approx(1.5 * example["stable"])
    assert example["row"][0] == pytest.approx(example["stable"] / 2)
    assert rollouts.stop_shadow(name)["rows"] == 40
    client.predict(f"{name}@production", X)
    assert Registry(live.home).settings(name).shadows == {}
    assert live.owner.get(f"/models/{name}/shadow").status_code == 404
    assert live.owner.get("/dead-letters").json()["dead_letters"] == []
