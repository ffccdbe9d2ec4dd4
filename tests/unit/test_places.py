"""Which places jobs may use: what roots hold, but nothing hidden, and nothing of ours."""

import os
import socket
from pathlib import Path

import pytest

from tasks.jobs.places import JobDirectory, Roots
from telemetry.errors import PlaceForbidden


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home directory of a user, who has a predictq home in it."""
    user = tmp_path / "user"
    monkeypatch.setenv("HOME", str(user))
    for name in (".predictq/jobs/mine", ".predictq/jobs/other", ".predictq/models", "data", ".ssh"):
        (user / name).mkdir(parents=True)
    (user / "link").symlink_to(user / ".ssh")
    return user


def allows(user: Path, uri: str, setting: str = "", home: str = ".predictq") -> str | None:
    """The place that is kept, if it may be used."""
    own = JobDirectory(user / home, "mine")
    try:
        return Roots(setting, user / home).checked(uri, own)
    except PlaceForbidden:
        return None


@pytest.mark.parametrize("name", ["rows.csv", "data/my rows.csv", ".predictq/jobs/mine/input.csv"])
def test_files_of_the_user_and_of_the_job_itself(user: Path, name: str) -> None:
    assert allows(user, f"{user}/{name}") == f"{user}/{name}"
    assert allows(user, f"file://{user}/{name.replace(' ', '%20')}") == f"{user}/{name}"


@pytest.mark.parametrize(
    "uri",
    [
        *("{}/../rows.csv", "{}/.bashrc", "{}/.ssh/authorized_keys", "{}/link/authorized_keys"),
        *("{}/data/.git/config", "{}/data/\0", "file://{}/%2essh/config", "file://{}/%00"),
        *("{}/.predictq/id.key", "{}/.predictq/models/iris", "{}/.predictq/jobs/other/output"),
        *("rows.csv", "file://rows.csv", "file://host{}/rows.csv", "{}/.predictq/jobs/mine/../a"),
    ],
)
def test_what_is_hidden_ours_or_elsewhere_is_forbidden(user: Path, uri: str) -> None:
    assert allows(user, uri.format(user)) is None


def test_a_visible_home_of_ours_is_forbidden_as_well(user: Path) -> None:
    for setting in ("", str(user), str(user / "data")):
        assert allows(user, f"{user}/data/id.key", setting, home="data") is None
        assert allows(user, f"{user}/data/jobs/mine/output", setting, home="data")


def test_a_root_that_is_named_may_be_hidden_or_ours(user: Path) -> None:
    hidden, ours = user / ".cache" / "rows", user / ".predictq" / "exports"
    setting = os.pathsep.join([str(hidden), str(ours)])
    for root in (hidden, ours):
        assert allows(user, f"{root}/a.csv", setting)
        assert allows(user, f"{root}/.a/a.csv", setting) is None
    assert allows(user, f"{user}/data/rows.csv", setting) is None
    assert allows(user, f"{user}/.predictq/id.key", setting) is None


def test_remote_roots(user: Path) -> None:
    setting = os.pathsep.join(["s3://bucket/in", str(user)])
    assert allows(user, "s3://bucket/in/a.csv", setting) == "s3://bucket/in/a.csv"
    for uri in ("s3://bucket/inner/a.csv", "s3://bucket/in/../a.csv", "http://bucket/in/a.csv"):
        assert allows(user, uri, setting) is None


def test_pipes_sockets_and_devices_are_forbidden(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(user / "pipe.csv")
    (user / "null.csv").symlink_to("/dev/null")
    monkeypatch.chdir(user)
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("socket.csv")  # by its whole path it would be too long
        for name in ("pipe", "null", "socket"):
            assert allows(user, f"{user}/{name}.csv", "/") is None


def test_names_that_no_file_can_have(user: Path) -> None:
    assert allows(user, f"{user}/{'a' * 3000}.csv")
    assert allows(user, str(user / "data"))
