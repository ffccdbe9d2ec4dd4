"""A stack that also computes batch jobs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.models import Doubling, Touchy, register
from tests.support.stack import LiveStack, running


@contextmanager
def computing_jobs(
    home: Path, *models: type[Doubling], forks: bool = True, **settings: str
) -> Iterator[LiveStack]:
    """A stack in a new home whose jobs may read and write the directory beside it.

    Each model is registered under its class name in lower case; their diary is ``home/diary``.
    Without ``forks`` its processes are started, and so their coverage can be measured.
    """
    diary = home / "diary"
    diary.touch()
    for kind in models:
        model = kind(str(diary)) if issubclass(kind, Touchy) else kind()
        register(home, kind.__name__.lower(), model, [[1.0, 0.0]])
    settings["PREDICTQ_BATCH_ROOTS"] = str(home.parent)
    with running(home, bulk=True, forks=forks, **settings) as stack:
        yield stack
