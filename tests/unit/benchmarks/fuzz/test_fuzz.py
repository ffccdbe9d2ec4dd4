"""Every parser that a caller can reach refuses bad input with a `PredictqError`, and fast.

`python -m benchmarks.fuzz` feeds them more inputs.
"""

import resource
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.fuzz import feeding
from benchmarks.fuzz.feeding import Fed, feed
from benchmarks.fuzz.mutating import MAX_INPUT_BYTES
from benchmarks.fuzz.target import Target, plain
from benchmarks.fuzz.targets.all import TARGETS

INPUTS = 20
"""Multiplied by the weight of the target."""


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_fuzzing_finds_only_refusals(target: Target, tmp_path: Path) -> None:
    inputs = INPUTS * target.weight
    fed = feed(target, target.ready(tmp_path), "suite", inputs, lambda _: None)
    assert fed.findings == []
    assert fed.inputs == inputs


FOUND = [
    (
        "upload",
        (
            b"multipart/form-data; boundary=b\n\n--b\r\nContent-Disposition: form-data"
            b"\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data\r\n\r\ny\r\n--b--\r\n"
        ),
    ),
    (
        "upload",
        (
            b"multipart/form-data; boundary=b\n\n--b\r\nContent-Disposition: form-data; "
            b'filename="f"\r\n\r\nx\r\n--b--\r\n'
        ),
    ),
    ("authorization", b"Bearer \xe9"),
    ("query", b"a=1&\x87=2"),
    ("step of a job", b'[[], {"job": "j", "step": "1"}, ' + b"[" * 3000),
    ("resources", b'{"memory_limit": "' + b"9" * 400 + b'"}'),
    ("resources", b'{"memory_limit": NaN}'),
    ("truth", b'{"label": ' + b"9" * 400 + b"}"),
    ("manifest", b'{"name": "m\xe9"}'),
    ("manifest", b'{"else": ' + b"[" * 3000),
]
"""Inputs that once raised an unexpected error."""


@pytest.mark.parametrize(("name", "content"), FOUND, ids=[name for name, _ in FOUND])
def test_known_finding_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    target = TARGETS[name]
    fed = feeding._one(target, target.ready(tmp_path), content)
    assert (fed.findings, fed.refused) == ([], 1)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_corpus_is_valid(target: Target, tmp_path: Path) -> None:
    """Otherwise mutations would hardly get beyond the first check."""
    parse = target.ready(tmp_path)
    fed = Fed()
    for content in target.corpus:
        fed.add(feeding._one(target, parse, content))
    assert fed.findings == []
    assert fed.refused < fed.inputs


def spin() -> None:
    end = time.process_time() + 5
    while time.process_time() < end:
        pass


def kept(_: bytes) -> None:
    """Allocate 64 MiB more than this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    now = psutil.Process().memory_info().rss // 2**20
    [b"x" * 2**20 for _ in range(peak - now + 64)]  # zeros would take no memory


def raising(_: bytes) -> None:
    raise KeyError("foreign")


@pytest.mark.parametrize(
    ("parse", "what"),
    [(raising, "KeyError: 'foreign'"), (lambda _: spin(), "Slow: "), (kept, "it grew by")],
    ids=["foreign", "slow", "large"],
)
def test_forbidden_behaviour_is_found(
    parse: feeding.Parse, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Allocating what this process has ever had, and more, may itself take half a second.
    monkeypatch.setattr(feeding, "CPU_LIMIT", 30 if parse is kept else 0.5)
    monkeypatch.setattr(feeding, "GROWTH", 16)
    fed = feed(plain("t", (b"a",), parse), parse, "s", 1, lambda _: None)
    assert what in fed.findings[0].what


def test_fuzz_inputs_are_those_of_the_seed() -> None:
    def inputs(seed: str) -> list[bytes]:
        found: list[bytes] = []
        feed(plain("t", (b"a=1", b"b,c"), len), len, seed, 300, found.append)
        return found

    assert inputs("1") == inputs("1") != inputs("2")
    assert max(map(len, inputs("1"))) <= MAX_INPUT_BYTES
