"""`predictq models load` and `unload`: which version they name, and what they print."""

from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from cli.models import version_acts
from cli.models.version_acts import load, unload
from telemetry.errors import Invalid


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []
    models = SimpleNamespace(
        load=lambda *given, timeout: calls.append(("load", *given)),
        unload=lambda *given, timeout: calls.append(("unload", *given)),
    )

    @contextmanager
    def server(url: str | None) -> Any:
        yield SimpleNamespace(models=models)

    monkeypatch.setattr(version_acts, "server", server)
    return calls


def test_models_load_and_unload_return_once_every_worker_did_it(told: list[Any]) -> None:
    assert CliRunner().invoke(load, ["m:2"]).output == "every worker holds m:2\n"
    assert CliRunner().invoke(unload, ["m:2"]).output == "no worker holds m:2\n"
    assert told == [("load", "m", 2), ("unload", "m", 2)]


@pytest.mark.parametrize("model", ["m", "m@production"])
def test_models_load_names_one_version(told: list[Any], model: str) -> None:
    done = CliRunner().invoke(load, [model])
    assert isinstance(done.exception, Invalid)
    assert told == []
