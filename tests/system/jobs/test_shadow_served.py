"""A shadow is asked as well, by the bulk worker; callers get the answers of the alias alone."""

from collections.abc import Iterator
from typing import Any

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


def compared(client: Client, name: str, rows: Any, what: str = "rows") -> Any:
    """The shadow once copies of these rows were compared; workers see a change after 10 ms."""

    def look() -> Any:
        answer = client.predict(f"{name}@production", rows)
        assert answer.receipt.version == 1
        assert answer.predictions == [2 * row[0] for row in rows]
        state = client.models.rollouts.shadow(name)
        return state if state[what] else None

    return until(look, "copies were compared")


def test_shadow_is_compared_and_never_answers(live: LiveStack, client: Client) -> None:
    name, good, bad = "shadowed", X.tolist(), [[GUILTY, 0.0]] * 3
    register(live.home, name, Doubling(), None, alias="production")
    register(live.home, name, Touchy(), None)
    register(live.home, name, LinearRegression().fit(X, 3 * X[:, 0]), None)
    rollouts = client.models.rollouts
    rollouts.set_shadow(name, 2, rate=100, why="to see")
    state = compared(client, name, good)
    assert (state["disagreed"], state["failed"], state["version"]) == (0, 0, 2)
    state = compared(client, name, bad, "failed")
    assert state["disagreed"] == state["failed"]
    assert state["failed"] % len(bad) == 0
    assert client.models.history(name)["data"][0]["act"] == "shadowed"
    rollouts.set_shadow(name, 3, rate=100)
    state = compared(client, name, good)
    assert state["disagreed"] > state["rows"] * 0.7
    assert state["verdict"]["decision"] == "differs"
    assert state["path"]
    example = rollouts.disagreements(name)[0]
    assert example["shadow"] == pytest.approx(1.5 * example["stable"])
    assert example["row"][0] == pytest.approx(example["stable"] / 2)
    assert rollouts.stop_shadow(name)["version"] == 3
    assert Registry(live.home).settings(name).shadows == {}
    assert live.owner.get(f"/models/{name}/shadow").status_code == 404
    assert live.owner.get("/dead-letters").json()["dead_letters"] == []
