"""An alias that is split answers each caller by one version, on every way in; with real workers."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from registry.changes import Changes
from registry.splits import chosen_version
from registry.store import Registry
from tests.support.models import Doubling, Touchy, register
from tests.support.stack import LiveStack, running

pytestmark = pytest.mark.slow
ROW = [1.0, 0.0]
SHARES = {1: 50, 2: 50}
SPLIT = "doubling@production"
KEYS = [f"caller-{number}" for number in range(6)]


def expected(key: str) -> int:
    return chosen_version("doubling", "production", SHARES, key.encode())


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("split")
    register(home, "doubling", Doubling(), [ROW])
    register(home, "doubling", Touchy(), [ROW])
    Changes(Registry(home)).set_alias("doubling", "production", SHARES)
    with running(home, forks=True) as stack:
        yield stack


def test_caller_has_the_same_version_on_every_way_in(split: LiveStack) -> None:
    assert {expected(key) for key in KEYS} == {1, 2}
    body: dict[str, Any] = {"model": SPLIT, "features": ROW}
    for key in KEYS:
        post = partial(split.http.post, headers={"X-Caller-Id": key})
        answered = [
            post("/predict", json=body).json(),
            post(f"/models/{SPLIT}/predict", json={"features": ROW}).json(),
        ]
        accepted = [
            split.submit(SPLIT, ROW, sticky=key),
            post("/predict/async", json=body).json(),
            post("/predict/async?left=to_flask", json=body).json(),
            post("/predict/async", json={"requests": [body]}).json(),
        ]
        answered += [split.outcome(each["id"]) for each in accepted]
        receipts = [(each["receipt"]["version"], each["receipt"]["alias"]) for each in answered]
        assert receipts == [(expected(key), "production")] * 6
        old_style = post("/predict", json={"model_id": "doubling", "features": ROW}).json()
        assert old_style["receipt"]["version"] == expected(key)


def test_job_is_pinned_to_the_version_of_its_key(split: LiveStack) -> None:
    for key in KEYS:
        files = {"file": ("rows.csv", b"x0,x1\n1,0\n")}
        form = {"model": SPLIT, "sticky": key}
        job = split.http.post("/predict/batch", data=form, files=files).json()
        assert (job["version"], job["alias"]) == (expected(key), "production")


def test_version_keeps_its_callers_when_its_share_grows(split: LiveStack) -> None:
    """The last test of its stack: it moves the alias, under requests that go on."""
    registry = Registry(split.home)
    for share in (60, 90):
        Changes(registry).set_alias("doubling", "production", {1: 100 - share, 2: share})
        for key in KEYS:
            if expected(key) == 2:
                assert split.submit(SPLIT, ROW, sticky=key)["version"] == 2
    Changes(registry).set_alias("doubling", "production", 2)
    assert {split.submit(SPLIT, ROW, sticky=key)["version"] for key in KEYS} == {2}
    statuses = split.http.get("/models/status").json()["versions"]
    assert [version["shares"] for version in statuses] == [{}, {"production": 100}]
