"""A date in a header field that no calendar has is passed over."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api.app import Services, create_flask
from tasks.settings import Settings
from tests.callers import client_of

BEYOND = "Thu, 01 Jan 1970 00:00:00 +99999999999999999999"
FIELDS = ["If-Modified-Since", "If-Unmodified-Since", "If-Range"]


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    settings = Settings(home=tmp_path, redis_url="redis://127.0.0.1:1/0")
    return client_of(create_flask(Services(settings)))


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/static/docs.html"])
def test_date_beyond_all_calendars_is_ignored(client: FlaskClient, path: str, field: str) -> None:
    with client.get(path, headers={field: BEYOND}) as answer:
        assert answer.status_code == 200


def test_range_of_a_changed_file_is_not_sent(client: FlaskClient) -> None:
    headers = {"If-Range": BEYOND, "Range": "bytes=0-3"}
    with client.get("/static/docs.html", headers=headers) as answer:
        assert answer.status_code == 200


def test_dates_within_the_calendar_are_heeded(client: FlaskClient) -> None:
    headers = {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
    with client.get("/static/docs.html", headers=headers) as answer:
        assert answer.status_code == 304
