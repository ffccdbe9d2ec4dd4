"""Finds out which tests run which scripts: only these can notice a mutant of the script."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

import msgspec
import redis
from redis.commands.core import Script

from tasks.ledger import scripts

NAME = scripts.load_script.__name__


class Reach(msgspec.Struct):
    """What a run of the tests without a mutant has shown, by the ids of the tests."""

    seconds: dict[str, float] = {}
    scripts: dict[str, set[str]] = {}
    """The scripts and libraries that each test ran."""

    def tests(self, script: str) -> list[str]:
        """The tests that run a script, the quickest first."""
        reached = [test for test, names in self.scripts.items() if script in names]
        return sorted(reached, key=self.seconds.__getitem__)


class _Noted(Script):
    """A script of which it is noted that it is run: its hash is read for nothing else."""

    def __init__(self, script: Script, sources: set[str], seen: set[str]) -> None:
        super().__init__(script.registered_client, script.script)
        self._sources, self._seen = sources, seen

    @property
    def sha(self) -> str:
        self._seen |= self._sources
        return self._sha

    @sha.setter
    def sha(self, value: str) -> None:
        self._sha = value


@contextmanager
def noted(seen: set[str]) -> Iterator[None]:
    """Add the scripts that are loaded inside the context to ``seen`` once they are run."""
    load, text = scripts.load_script, scripts.script_text

    def load_noted(client: redis.Redis, name: str, *without: str, **constants: float) -> Script:
        sources: set[str] = set()

        def text_noted(source: str) -> str:
            sources.add(source)
            return text(source)

        with mock.patch.object(scripts, "script_text", text_noted):
            return _Noted(load(client, name, *without, **constants), sources, seen)

    with ExitStack() as patches:
        # Modules have imported it by its name.
        for module in [each for each in sys.modules.values() if vars(each).get(NAME) is load]:
            patches.enter_context(mock.patch.object(module, NAME, load_noted))
        yield
