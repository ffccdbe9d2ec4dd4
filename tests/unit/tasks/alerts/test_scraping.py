"""A scrape that fails is an API that is down, whatever the reason."""

import pytest

from tasks.alerts.rules.selectors import MetricSample
from tasks.alerts.watching.scraping import UP, Scraper
from tests.unit.fake_server import DROP, Answer, stand_in

DOWN = {UP: [MetricSample(UP, {"job": "predictq-api"}, 0.0)]}


@pytest.mark.parametrize(
    "answer", [DROP, Answer(500, b"a 1\n"), Answer(200, b"a b c\n"), Answer(200, b"a \xff\n")]
)
def test_scrape_that_fails_says_that_the_api_is_down(answer: Answer) -> None:
    with stand_in() as server:
        server.behave = lambda _: answer
        assert Scraper(server.url, frozenset("a")).scrape() == DOWN


def test_scrape_asks_below_the_path_of_the_address() -> None:
    with stand_in() as server:
        server.behave = lambda _: Answer(200, b"a 1\n")
        found = Scraper(f"{server.url}/below/", frozenset("a")).scrape()
    assert server.calls == [("GET", "/below/metrics")]
    assert (found["a"], found[UP][0].value) == ([MetricSample("a", {}, 1.0)], 1.0)


def test_scrape_of_a_port_where_nothing_listens() -> None:
    assert Scraper("http://127.0.0.1:9", frozenset()).scrape() == DOWN
