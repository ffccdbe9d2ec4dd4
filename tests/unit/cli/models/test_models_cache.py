"""`predictq models cache`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from registry.readiness import Readiness
from registry.store import Registry

Run = Callable[..., Result]


@pytest.mark.parametrize(
    ("said", "setting", "told"),
    [
        ("on", True, "m: answers are reused by what they cost\n"),
        ("90", 90, "m: answers are reused for 90 s\n"),
        ("off", False, "m: each prediction is computed\n"),
    ],
)
def test_cache_setting_is_kept_with_the_model(
    run: Run, file: str, tmp_path: Path, said: str, setting: object, told: str
) -> None:
    run("add", "m", file)
    assert run("cache", "m", said).output == told
    registry = Registry(tmp_path / "home")
    run("add", "m", file, "--version", "2")
    assert registry.settings("m").cache is setting or registry.settings("m").cache == setting
    assert registry.resolve("m:2").cache == registry.resolve("m").cache == setting


def test_cache_names_versions_that_vary(run: Run, file: str, tmp_path: Path) -> None:
    run("add", "m", file)
    registry = Registry(tmp_path / "home")
    registry.set_state(registry.named("m"), Readiness(varies=True))
    assert "not those of m:1" in run("cache", "m", "on").output
    assert registry.resolve("m").varies


@pytest.mark.parametrize("said", ["0", "yes", "-1", "604801", "1.5"])
def test_cache_refuses_other_settings(run: Run, file: str, said: str) -> None:
    run("add", "m", file)
    assert run("cache", "m", said).exit_code == 2


def test_cache_of_an_unknown_model_is_refused(run: Run) -> None:
    assert run("cache", "ghost", "on").exit_code == 1
