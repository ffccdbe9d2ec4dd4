"""Notifications: one channel is enough, and no log line has a secret."""

import logging

import pytest

from api.watch.notifying import Notifier
from tests.unit.fake_server import Answer, stand_in


def test_one_channel_that_takes_the_news_is_enough() -> None:
    with stand_in() as good:
        good.behave = lambda _: Answer(200, {})
        host = good.url.removeprefix("http://")
        urls = [f"json://me:secret@{host}/", "json://me:secret@127.0.0.1:9/"]
        assert Notifier(urls).send("a title", "a text")
        assert not Notifier(urls[1:]).send("a title", "a text")


def test_failing_channel_is_logged_without_its_secret(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        Notifier(["json://me:secret@127.0.0.1:9/", "mailto://me:secret@[", "x"]).send("t", "b")
    told = [record.getMessage() for record in caplog.records if record.name.startswith("api")]
    assert told == [
        "1 notifications failed, the latest to: json (URL 1), mailto (URL 2), x (URL 3)"
    ]
    assert "secret" not in caplog.text


def test_without_channels_nobody_is_told() -> None:
    assert not Notifier([]).send("a title", "a text")
