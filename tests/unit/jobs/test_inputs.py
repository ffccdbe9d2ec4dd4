"""The file that is read is the one that was validated, whatever takes its place, and when."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from registry.manifest import Column, Signature
from tasks.jobs.job import Order, Place
from telemetry.errors import InputChanged
from workers.jobs import inputs
from workers.jobs.inputs import Inputs, find

MANIFEST: Any = SimpleNamespace(
    sha256="s", signature=Signature((Column("a"),), True, False, ("predict",))
)


class File:
    """An input, with another that may take its place."""

    def __init__(self, directory: Path) -> None:
        self.path, self._aside = directory / "in.csv", directory / "aside.csv"
        self.path.write_text("a\n1\n")
        self._aside.write_text("a\n2\n")
        order = Order(
            model="m", version=1, input=Place(uri=str(self.path)), output=Place(uri="/out")
        )
        facts, inputs = find(order), Inputs(directory)
        self.read: Callable[[], Any] = lambda: self._first(
            inputs.source("j", order, facts, MANIFEST)
        )

    def swap(self) -> None:
        between = self.path.with_name("between")
        self.path.rename(between)
        self._aside.rename(self.path)
        between.rename(self._aside)

    def _first(self, source: Any) -> float:
        block = source.read(next(source.spans(1)))
        return float(block.features[0][0])


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


def test_one_that_is_replaced_while_it_is_opened(
    file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            inputs, "fingerprint", lambda uri, look=inputs.fingerprint: (look(uri), file.swap())[0]
        )
        with pytest.raises(InputChanged):
            file.read()


def test_one_that_comes_back_is_opened_again(file: File) -> None:
    assert file.read() == 1.0
    file.swap()
    with pytest.raises(InputChanged):
        file.read()
    file.swap()
    assert file.read() == 1.0


def test_one_that_cannot_even_be_opened_any_more(file: File) -> None:
    file.path.write_bytes(b"")
    with pytest.raises(InputChanged):
        file.read()
