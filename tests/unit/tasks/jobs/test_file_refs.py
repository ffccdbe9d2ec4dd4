"""Allowed paths: what they contain, but no hidden files and none of predictq's own."""

import os
import socket
import sys
import sysconfig
from pathlib import Path

import pytest

from tasks.jobs.files.allowed_paths import AllowedPaths
from tasks.jobs.files.file_refs import JobDirectory
from telemetry.errors import PlaceForbidden


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home directory, which contains a predictq home."""
    user = tmp_path / "user"
    monkeypatch.setenv("HOME", str(user))
    for name in (".predictq/jobs/mine", ".predictq/jobs/other", ".predictq/models", "data", ".ssh"):
        (user / name).mkdir(parents=True)
    (user / "link").symlink_to(user / ".ssh")
    return user


def allows(
    user: Path, uri: str, setting: str, home: str = ".predictq", *, everywhere: bool = False
) -> str | None:
    """The resolved path of an input, None if it is not allowed."""
    own = JobDirectory(user / home, "mine")
    try:
        return AllowedPaths(setting, user / home).source(uri, own, everywhere=everywhere)
    except PlaceForbidden:
        return None


def writes(user: Path, uri: object, setting: str = "", *, everywhere: bool = True) -> bool:
    """Whether an output is allowed there."""
    home = user / ".predictq"
    try:
        AllowedPaths(setting, home).target(
            str(uri), JobDirectory(home, "mine"), everywhere=everywhere
        )
    except PlaceForbidden:
        return False
    return True


def test_default_allowed_path_is_the_job_s_own_directory(user: Path) -> None:
    own = f"{user}/.predictq/jobs/mine/input.csv"
    assert allows(user, own, "") == own
    for name in ("rows.csv", "data/rows.csv", ".predictq/jobs/other/input.csv", ".ssh/id"):
        assert allows(user, f"{user}/{name}", "") is None
        assert allows(user, f"file://{user}/{name}", "") is None
    assert not writes(user, user / "out.csv", everywhere=False)
    assert writes(user, user / ".predictq/jobs/mine/output", everywhere=False)


@pytest.mark.parametrize("name", ["rows.csv", "data/my rows.csv", ".predictq/jobs/mine/input.csv"])
def test_files_below_a_root_and_of_the_job_itself(user: Path, name: str) -> None:
    assert allows(user, f"{user}/{name}", str(user)) == f"{user}/{name}"
    uri = f"file://{user}/{name.replace(' ', '%20')}"
    assert allows(user, uri, str(user)) == f"{user}/{name}"


@pytest.mark.parametrize(
    "uri",
    [
        *("{}/../rows.csv", "{}/.bashrc", "{}/.ssh/authorized_keys", "{}/link/authorized_keys"),
        *("{}/data/.git/config", "{}/data/\0", "file://{}/%2essh/config", "file://{}/%00"),
        *("{}/.predictq/id.key", "{}/.predictq/models/iris", "{}/.predictq/jobs/other/output"),
        *("rows.csv", "file://rows.csv", "file://host{}/rows.csv", "{}/.predictq/jobs/mine/../a"),
        *("//../..{}/../rows.csv", "file:{}/rows.csv", "FILE://{}/rows.csv", "local://{}/rows.csv"),
        *("/proc/self/environ", "/proc/self/root{}/rows.csv", "{}/data/../../rows.csv"),
    ],
)
def test_hidden_own_and_outside_paths_are_forbidden(user: Path, uri: str) -> None:
    assert allows(user, uri.format(user), str(user)) is None


def test_outside_path_is_not_looked_at(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed, own = AllowedPaths(str(user / "data"), user), JobDirectory(user, "mine")
    monkeypatch.setattr(os.path, "realpath", lambda _: pytest.fail("it would hang"))
    for uri in ("/mnt/dead/rows.csv", f"{user}/data/../rows.csv"):
        with pytest.raises(PlaceForbidden):
            allowed.source(uri, own)


def test_local_key_permits_what_the_user_may_read(user: Path) -> None:
    for uri in ("/etc/hostname", f"{user}/.ssh/rows.csv", "s3://bucket/rows.csv"):
        assert allows(user, uri, "", everywhere=True) == uri
    assert allows(user, "rows.csv", "", everywhere=True) is None
    assert allows(user, "/dev/null", "", everywhere=True) is None


def test_output_never_replaces_files_of_predictq(user: Path) -> None:
    assert writes(user, user / "data" / "out.csv")
    (user / "code").symlink_to(sys.prefix)
    for path in (
        *(Path(__file__).parents[4] / "api" / "out.csv", Path(sys.prefix) / "out.csv"),
        *(Path(sysconfig.get_path("purelib")) / "out.csv", user / "code" / "out.csv"),
        *(user / ".predictq" / "out.csv", user / ".predictq/jobs/other/output"),
    ):
        for setting, everywhere in (("", True), ("/", False), (str(path.parent), False)):
            assert not writes(user, path, setting, everywhere=everywhere), path


def test_visible_home_is_forbidden(user: Path) -> None:
    for setting in (str(user), str(user / "data")):
        assert allows(user, f"{user}/data/id.key", setting, home="data") is None
        assert allows(user, f"{user}/data/jobs/mine/output", setting, home="data")


def test_configured_root_may_be_hidden_or_in_the_home(user: Path) -> None:
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


@pytest.mark.parametrize(
    "below",
    [
        *("../a.csv", "%2e%2e/a.csv", ".%2E/a.csv", "b/%2e%2e%2f%2e%2e/a.csv", "%252e%252e/a.csv"),
        *("..\\a.csv", "%2e%2e%5ca.csv", "a.csv::file:///etc/passwd", "a%3A%3Ab", "b/.."),
    ],
)
def test_remote_root_cannot_be_left_by_spelling(user: Path, below: str) -> None:
    assert allows(user, f"https://host/in/{below}", "https://host/in") is None
    assert allows(user, "https://host/in/b%20c..csv", "https://host/in")


def test_pipes_sockets_and_devices_are_forbidden(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(user / "pipe.csv")
    (user / "null.csv").symlink_to("/dev/null")
    monkeypatch.chdir(user)
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("socket.csv")  # relative, since the length of a socket's path is limited
        for name in ("pipe", "null", "socket"):
            assert allows(user, f"{user}/{name}.csv", "/") is None


def test_names_that_no_file_can_have(user: Path) -> None:
    assert allows(user, f"{user}/{'a' * 3000}.csv", str(user))
    assert allows(user, str(user / "data"), str(user))
