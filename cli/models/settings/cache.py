"""The `predictq models cache` command: whether answers of a model are reused."""

from pathlib import Path
from typing import Any

import click

from cli import find_stack
from registry.changes import Changes
from registry.storage.model_settings import MAX_CACHE_SECONDS, CacheSetting
from registry.store import Registry


class _SettingType(click.ParamType[CacheSetting]):
    """`on`, `off` or a number of seconds."""

    name = "on|off|SECONDS"

    def convert(self, value: Any, param: Any, ctx: Any) -> CacheSetting:
        """Read an argument."""
        if value in ("on", "off"):
            return bool(value == "on")
        if not value.isdecimal() or not 1 <= int(value) <= MAX_CACHE_SECONDS:
            self.fail(f"{value!r} is neither on nor off nor 1 to {MAX_CACHE_SECONDS} seconds")
        return int(value)


@click.command()
@click.argument("name")
@click.argument("setting", type=_SettingType(), metavar="on|off|SECONDS")
@find_stack.for_registry
def cache(name: str, setting: CacheSetting, home: Path) -> None:
    """Set whether answers of the model NAME are reused for equal rows, or for how long."""
    registry = Registry(home)
    Changes(registry).set_cache(name, setting)
    click.echo(f"{name}: {_words(setting)}")
    if setting and (varying := registry.varying(name)):
        which = ", ".join(f"{name}:{number}" for number in varying)
        click.echo(f"not those of {which}: two calls with the same row differed")


def _words(setting: CacheSetting) -> str:
    if setting is False:
        return "each prediction is computed"
    how_long = "by what they cost" if setting is True else f"for {setting} s"
    return f"answers are reused {how_long}"
