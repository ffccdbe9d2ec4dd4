"""Downloaded outputs are complete or absent, even if the connection breaks."""

import pytest

from predictq import Conflict, Unavailable
from tests.unit.fake_server import DROP, Answer, problem


def test_output_is_fetched_whole(server, client, tmp_path):
    server.script(Answer(200, b"prediction\n1\n", content_type="text/csv"))
    client.jobs.download("j1", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "prediction\n1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_missing_output_leaves_no_file(server, client, tmp_path):
    server.script(problem(409, "job_conflict"))
    with pytest.raises(Conflict):
        client.jobs.download("j1", tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


def test_download_that_breaks_continues_where_it_broke(server, client, tmp_path):
    whole = {"ETag": '"1"', "Content-Length": "6"}
    server.script(
        Answer(200, b"abc", whole | {"Connection": "close"}),
        Answer(206, b"def", {"ETag": '"1"', "Content-Range": "bytes 3-5/6"}),
    )
    client.jobs.download("j1", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == b"abcdef"
    asked = server.asked[1].headers
    assert (asked["Range"], asked["If-Range"]) == ("bytes=3-", '"1"')


def test_download_outlasts_a_server_that_is_away(server, client, clock, tmp_path):
    half = {"ETag": '"1"', "Content-Length": "6", "Connection": "close"}
    rest = Answer(206, b"def", {"ETag": '"1"', "Content-Range": "bytes 3-5/6"})
    busy, away = problem(503, "busy", retryable=True), Answer(502, b"", content_type="text/html")
    server.script(*[busy] * 20, Answer(200, b"abc", half), *[DROP, away] * 20, rest)
    client.jobs.download("j1", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == b"abcdef"


def test_download_gives_up_when_nothing_comes(server, client, clock, tmp_path):
    server.behave = lambda _: problem(503, "busy", retryable=True)
    with pytest.raises(Unavailable):
        client.jobs.download("j1", tmp_path / "out.csv")
    assert sum(clock.slept) == pytest.approx(120, abs=1)
    assert list(tmp_path.iterdir()) == []


def test_downloads_to_one_file_leave_each_other_alone(server, client, tmp_path):
    def behave(_):
        if len(server.asked) == 1:  # another file appears during the download
            client.jobs.download("j1", tmp_path / "out.csv")
        return Answer(200, f"{len(server.asked)}".encode())

    server.behave = behave
    client.jobs.download("j1", tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_download_of_a_changed_file_begins_anew(server, client, tmp_path):
    broken = {"ETag": '"1"', "Content-Length": "6", "Connection": "close"}
    server.script(Answer(200, b"abc", broken), Answer(200, b"xyzxyz"))
    client.jobs.download("j1", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == b"xyzxyz"


def test_replaced_file_keeps_its_mode(server, client, tmp_path):
    (tmp_path / "out.csv").touch(mode=0o600)
    server.script(Answer(200, b"prediction\n"))
    client.jobs.download("j1", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("output", "error"), [("none/out.csv", FileNotFoundError), (".", IsADirectoryError)]
)
def test_download_to_an_unwritable_path_fails_at_once(
    server, client, tmp_path, monkeypatch, output, error
):
    monkeypatch.chdir(tmp_path)
    for target in (tmp_path / output, output):
        with pytest.raises(error) as told:
            client.jobs.download("j1", target)
        assert told.value.filename == str(target)
    assert server.asked == []


def test_download_name_may_be_as_long_as_the_disk_allows(server, client, tmp_path):
    server.script(Answer(200, b"prediction\n"))
    client.jobs.download("j1", tmp_path / ("o" * 251 + ".csv"))
    assert [len(path.name) for path in tmp_path.iterdir()] == [255]
