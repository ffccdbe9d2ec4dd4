"""Requirements: files and texts, and whether this environment meets them."""

import platform
from importlib.metadata import version

import pytest

from telemetry.errors import Invalid
from tests.unit.workers.environments.tiny_wheels import tiny_wheel
from workers.environments.requirements import (
    Requirements,
    are_met_here,
    read_requirements,
)


def test_requirements_are_read_from_files_and_texts(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("# ours\n--find-links wheels\nscikit-learn == 1.5.2  # old\n\nnumpy<3\n")
    found = read_requirements([str(path), "numpy<3", "pandas[performance]>=2"])
    assert found.packages == ("scikit-learn==1.5.2", "numpy<3", "pandas[performance]>=2")
    assert found.options == (f"--find-links {tmp_path / 'wheels'}",)


def test_requirements_may_have_an_index_with_a_query():
    given = ["--index-url https://example.org/simple?a=b", "--index-url=https://example.org/?a=b@c"]
    found = read_requirements(given).options
    assert found == (given[0], "--index-url https://example.org/?a=b@c")


def test_requirements_of_a_lock_are_resolved_anew(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("numpy==2.4.6 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n")
    assert read_requirements([str(path)]) == Requirements(("numpy==2.4.6",))


def test_requirements_may_ask_for_this_python():
    wanted = read_requirements([f"python=={platform.python_version()}", "python >=3.11", "numpy"])
    assert wanted.packages == ("numpy",)


def test_requirements_may_name_a_wheel(tmp_path):
    wheel = tiny_wheel(tmp_path, "1.0")
    assert read_requirements([str(wheel)]).packages == (f"tinyscale @ {wheel.as_uri()}",)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("./mypackage", "--code"),
        ("-e ./mypackage", "cannot be kept"),
        ("-r more.in", "cannot be kept"),
        ("--index-url https://me:secret@example.org/simple", "address has a user"),
        ("foo @ https://me:secret@example.org/foo.whl", "foo: the address has a user"),
        ("https://secret@example.org/foo.whl", "address has a user"),
        ("--trusted=https://me:secret@example.org/?a=b", "--trusted: the address has a user"),
        ("absent.txt", "cannot be read"),
        ("python==3.8.1", "python==3.8.1: environments have the Python of the shared one"),
    ],
    ids=[
        *("directory", "editable", "nested", "password", "wheel", "bare", "option", "absent"),
        "another python",
    ],
)
def test_requirements_that_cannot_be_kept_are_refused(line, reason):
    with pytest.raises(Invalid, match=reason) as raised:
        read_requirements([line])
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("packages", "met"),
    [
        ((f"numpy=={version('numpy')}", "scikit-learn"), True),
        (("numpy", "scikit-learn==1.5.2"), False),
        (("no-such-package",), False),
        (("no-such-package; python_version < '3'",), True),
        (("pandas[performance]",), False),
        (("numpy @ file:///numpy.whl",), False),
    ],
    ids=["met", "another version", "absent", "another python", "extras", "a file"],
)
def test_requirements_are_compared_with_this_environment(packages, met):
    assert are_met_here(Requirements(packages)) is met
