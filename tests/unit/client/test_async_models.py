"""The registry through `AsyncClient`: the calls of `Models`, in threads."""

import inspect
from pathlib import Path

import pytest

from predictq import AsyncModels, Conflict, Models
from tests.unit.fake_server import Answer, problem

HELD = {"model": "m:2", "loaded": True, "workers": ["w"], "waiting_for": []}
CALLS = [name for name in vars(Models) if not name.startswith("_")]


@pytest.mark.parametrize("name", CALLS)
def test_async_models_have_each_call_with_its_arguments(name):
    theirs = inspect.signature(getattr(Models, name)).parameters
    ours = inspect.signature(getattr(AsyncModels, name)).parameters
    if name != "register":  # it passes its options on
        assert [*map(str, ours.values())] == [*map(str, theirs.values())]
    assert inspect.iscoroutinefunction(getattr(AsyncModels, name))


def test_async_models_change_and_show_the_registry(server, run, tmp_path: Path):
    ready = {"model": "m", "version": 3, "status": "ready", "code": "", "reason": ""}
    listed = {"data": [], "has_more": False}
    (tmp_path / "m.onnx").write_bytes(b"the model")
    server.script(
        Answer(200, {"models": [{"name": "m"}]}),
        *[Answer(200, {"name": "m"})] * 3,
        Answer(200, ready),
        *[Answer(200, {"changed": True})] * 3,
        Answer(200, listed),
        *[Answer(200, HELD)] * 2,
        *[Answer(200, {"versions": [1]})] * 2,
        Answer(200, {"rows": []}),
        Answer(200, b"bytes", content_type="application/octet-stream"),
    )

    async def use(client):
        models = client.models
        names = await models()
        await models.show("m")
        await models.show("m", 2)
        await models.status()
        assert (await models.register("m", tmp_path / "m.onnx", alias="a"))["version"] == 3
        await models.set_alias("m", "a", 2, expected=1)
        await models.remove_alias("m", "a")
        await models.rollback("m")
        assert await models.history("m") == listed
        assert await models.load("m", 2) == await models.unload("m", 2) == HELD
        await models.remove("m", 1, force=True)
        await models.keep_latest("m", 2)
        await models.sample("m", 2)
        await models.download("m", 2, tmp_path / "copy")
        return names

    assert run(use) == [{"name": "m"}]
    assert (tmp_path / "copy").read_bytes() == b"bytes"
    assert server.calls[-1] == ("GET", "/models/m/versions/2/artifact")


def test_async_models_raise_the_errors_of_models(server, run):
    server.behave = lambda _: problem(409, "alias_moved")
    with pytest.raises(Conflict):
        run(lambda client: client.models.set_alias("m", "a", 2, expected=1))
