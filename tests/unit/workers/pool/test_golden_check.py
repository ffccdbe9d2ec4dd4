"""Golden rows are compared in a process, which says why it cannot."""

import errno
import os

import pytest

from registry.versions import new_manifest
from telemetry.errors import AnswersDiffer
from tests.support.models import described
from workers.pool.golden_check import check_in_child


class Engine:
    """Compares as ``compare`` does."""

    def __init__(self, compare):
        self._compare, self.is_trusted = compare, False

    def golden_rows(self, manifest):
        return "rows"

    def compare(self, manifest):
        self._compare()

    def trust(self, manifest):
        self.is_trusted = True


def raising(error):
    def compare():
        raise error

    return compare


@pytest.fixture
def manifest():
    return new_manifest("m", 1, described(b"m"))


def test_golden_check_trusts_a_version_whose_answers_are_right(manifest):
    engine = Engine(lambda: None)
    assert check_in_child(engine, manifest) is None
    assert engine.is_trusted


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (AnswersDiffer("other answers"), "other answers"),
        (MemoryError("no memory"), "MemoryError: no memory"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
    ids=["differ", "memory", "defect"],
)
def test_golden_check_says_why_it_fails(manifest, error, fault):
    engine = Engine(raising(error))
    assert check_in_child(engine, manifest) == fault
    assert not engine.is_trusted


def test_golden_check_says_that_it_got_no_process(manifest, monkeypatch):
    refused = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    monkeypatch.setattr(os, "fork", raising(refused))
    assert "m:1 cannot be compared: [Errno 12]" in check_in_child(
        Engine(raising(refused)), manifest
    )
