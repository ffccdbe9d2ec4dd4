"""A file whose library ends the process is refused, and the process that registers goes on."""

import pytest

from telemetry.errors import ModelUnloadable
from workers.models.formats import model_format, trial
from workers.models.formats.all_formats import format_named
from workers.models.formats.pickled.harmless import unknown_types

PAIR = ["functools.partial", "sklearn.utils.validation.check_array"]


def test_trial_names_the_signal_that_ends_it(monkeypatch, tmp_path):
    program = tmp_path / "aborting"
    program.write_text("#!/bin/sh\nkill -ABRT $$\n")
    program.chmod(0o755)
    monkeypatch.setattr(trial.sys, "executable", str(program))
    with pytest.raises(ModelUnloadable, match="it ends its process with SIGABRT"):
        trial.check_loadable(format_named("catboost", "x"), b"CBM1", "x")
    trial.check_loadable(format_named("skops", "x"), b"", "x")


def test_missing_runtime_is_reported_with_the_command():
    with pytest.raises(ModelUnloadable, match=r"pip install 'predictq\[onnx\]'"):
        model_format.import_runtime("no_such_runtime", "onnx")


def test_format_of_a_later_release_is_refused():
    with pytest.raises(ModelUnloadable, match="this release has no format 'later'"):
        format_named("later", "x")


def test_harmless_pair_is_admitted_only_together():
    assert unknown_types(PAIR) == []
    assert unknown_types(PAIR[:1]) == PAIR[:1]
    assert unknown_types(PAIR[1:]) == PAIR[1:]
