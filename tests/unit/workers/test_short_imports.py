"""Short imports of SciPy: the same functions, less text, and nothing that stays replaced."""

import json
import subprocess
import sys
from typing import Any

import pytest
from scipy._lib import _docscrape, doccer

from workers import short_imports
from workers.short_imports import without_docstrings

PROGRAM = """
import inspect, json, re, sys
from workers.short_imports import shorten_imports

if sys.argv[1] == "short":
    shorten_imports()
import scipy.stats
from scipy._lib import _array_api, _docscrape, doccer

def signature(function):
    try:
        return re.sub(r" at 0x[0-9a-f]+", "", str(inspect.signature(function)))
    except (TypeError, ValueError):
        return "unknown"

packages = scipy.stats, scipy.special, scipy.ndimage
public = {f"{p.__name__}.{name}": getattr(p, name) for p in packages for name in p.__all__}
distributions = {n: f for n, f in public.items() if hasattr(f, "shapes") and f.shapes is None}
print(json.dumps({
    "signatures": {name: signature(found) for name, found in public.items() if callable(found)},
    "cdf": {name: float(found.cdf(0.7)) for name, found in distributions.items()},
    "loaders": [type(p.__loader__).__name__ for p in packages],
    "replaced": [
        f.__module__ for f in (
            _docscrape.FunctionDoc.__init__, _docscrape.NumpyDocString._parse,
            doccer.docformat, _array_api._make_capabilities_note,
        )
    ],
    "text": sum(len(found.__doc__ or "") for found in public.values()),
}))
"""


def _told(how: str) -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, how],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    told: dict[str, Any] = json.loads(run.stdout)
    return told


def test_short_imports_change_the_texts_of_scipy_alone() -> None:
    short, usual = _told("short"), _told("usual")
    assert short.pop("text") < usual.pop("text") / 2
    assert len(usual["cdf"]) > 20
    assert len(usual["signatures"]) > 300
    assert short == usual


def _shortcut(*_: object) -> str:
    return "short"


def test_short_imports_pass_over_what_scipy_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = doccer.docformat
    shortcuts = (
        ("scipy._lib.absent", "docformat", _shortcut),
        ("scipy._lib.doccer", "absent", _shortcut),
        ("scipy._lib._docscrape", "Absent.__init__", _shortcut),
        ("scipy._lib.doccer", "docformat", _shortcut),
    )
    monkeypatch.setattr(short_imports, "_SHORTCUTS", shortcuts)
    with without_docstrings():
        assert doccer.docformat is _shortcut
        assert not hasattr(doccer, "absent")
    assert doccer.docformat is usual
    assert not hasattr(_docscrape, "Absent")


def _fail_inside_the_context() -> None:
    with without_docstrings():
        raise ImportError


def test_short_imports_end_with_an_import_that_fails() -> None:
    usual = _docscrape.NumpyDocString._parse
    with pytest.raises(ImportError):
        _fail_inside_the_context()
    assert _docscrape.NumpyDocString._parse is usual
