"""Static files hold a thread while they are sent, so their number is limited."""

from contextlib import ExitStack, closing
from pathlib import Path

from flask import Flask

from api.app import Services, create_flask
from tasks.settings import Settings

PATH = "/static/rapidoc-min.js"


def test_slow_reader_of_static_files_blocks_no_other_route(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, redis_url="redis://127.0.0.1:1/0", threads=8)
    app: Flask = create_flask(Services(settings))
    client = app.test_client()
    with ExitStack() as slow:
        for _ in range(2):
            answer = slow.enter_context(closing(client.get(PATH, buffered=False)))
            assert answer.status_code == 200
        assert client.get(PATH).status_code == 503
        assert client.get("/health").status_code == 200
    assert client.get(PATH).status_code == 200
