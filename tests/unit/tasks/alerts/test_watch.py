"""The watch tells of an alert once, of its end, and again only if nobody took the news."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tasks.alerts.rules.alert import all_alerts
from tasks.alerts.rules.selectors import MetricSample
from tasks.alerts.watching.counts import CountPoint
from tasks.alerts.watching.scraping import REDIS_UP, UP
from tasks.alerts.watching.states import AlertState
from tasks.alerts.watching.watch import Watch

LOOK = 10.0


class Store:
    """What Redis keeps, in memory; ``holder`` has the claim, and Redis can be away."""

    def __init__(self) -> None:
        self.kept: dict[str, AlertState] = {}
        self.kept_points: list[CountPoint] = []
        self.holder = ""
        self.is_away = False

    def _ask(self) -> None:
        if self.is_away:
            raise redis.ConnectionError

    def claim(self, token: str) -> bool:
        self._ask()
        self.holder = self.holder or token
        return self.holder == token

    def release(self, token: str) -> None:
        if self.claim(token):
            self.holder = ""

    def states(self) -> dict[str, AlertState]:
        self._ask()
        return dict(self.kept)

    def points(self) -> list[CountPoint]:
        return list(self.kept_points)

    def write(self, states: dict[str, AlertState], point: CountPoint | None) -> None:
        self._ask()
        self.kept = dict(states)
        self.kept_points += [point] if point else []


class World:
    """A store, what the API says, and what operators were told."""

    def __init__(self) -> None:
        self.store = Store()
        self.now, self.titles, self.bodies = 1000.0, [], []
        self.takes_news = True
        self.says: dict[str, float] = {}
        self.is_up = True

    def watch(self) -> Watch:
        store: Any = self.store
        return Watch(all_alerts(), store, self._scrape, self._send)

    def _scrape(self) -> dict[str, list[MetricSample]]:
        said = {REDIS_UP: 1.0, **self.says} if self.is_up else {}
        samples = {name: [MetricSample(name, {}, value)] for name, value in said.items()}
        return {**samples, UP: [MetricSample(UP, {"job": "predictq-api"}, float(self.is_up))]}

    def _send(self, title: str, body: str) -> bool:
        if self.takes_news:
            self.titles.append(title)
            self.bodies.append(body)
        return self.takes_news

    def pass_time(self, watch: Watch, seconds: float = LOOK) -> None:
        for _ in range(int(seconds / LOOK)):
            self.now += LOOK
            watch.look(self.now)

    def levels(self) -> dict[str, str]:
        return {state.name: state.level for state in self.store.kept.values()}


@pytest.fixture
def world() -> Iterator[World]:
    return World()


def test_alert_is_told_once_it_has_lasted_and_again_when_it_is_over(world: World) -> None:
    watch = world.watch()
    world.says = {"predictq_clock_skew_seconds": 2.0}
    world.pass_time(watch, 300)
    assert (world.levels(), world.titles) == ({"clock-skew": "pending"}, [])
    world.pass_time(watch, 600)
    assert world.titles == ["predictq: 1 firing: clock-skew"]
    assert "The clocks of API and Redis differ by 2.0 s" in world.bodies[0]
    assert all_alerts()["clock-skew"].remedy in world.bodies[0]
    world.says = {"predictq_clock_skew_seconds": 0.0}
    world.pass_time(watch)
    assert world.titles[1:] == ["predictq: 1 resolved: clock-skew"]
    assert world.levels() == {}


def test_alert_that_ends_before_its_duration_is_never_told(world: World) -> None:
    watch = world.watch()
    for skew in (2.0, 0.0, 2.0):
        world.says = {"predictq_clock_skew_seconds": skew}
        world.pass_time(watch, 290)
    assert world.titles == []


def test_restart_neither_repeats_news_nor_begins_the_wait_anew(world: World) -> None:
    world.says = {"predictq_dead_letters": 1.0, "predictq_clock_skew_seconds": 2.0}
    world.pass_time(watch := world.watch(), 200)
    assert world.titles == ["predictq: 1 firing: dead-letters"]
    watch.close()
    world.pass_time(world.watch(), 120)
    assert world.titles[1:] == ["predictq: 1 firing: clock-skew"]


def test_second_watch_waits_until_the_first_has_ended(world: World) -> None:
    first, second = world.watch(), world.watch()
    world.says = {"predictq_dead_letters": 1.0}
    world.pass_time(first)
    world.pass_time(second, 100)
    assert len(world.titles) == 1
    first.close()
    world.says = {"predictq_dead_letters": 0.0}
    world.pass_time(second)
    assert world.titles[1:] == ["predictq: 1 resolved: dead-letters"]


def test_news_that_no_channel_took_is_sent_again(world: World) -> None:
    watch, world.takes_news = world.watch(), False
    world.says = {"predictq_dead_letters": 1.0}
    world.pass_time(watch, 30)
    world.takes_news = True
    world.pass_time(watch, 30)
    assert world.titles == ["predictq: 1 firing: dead-letters"]
    world.says, world.takes_news = {"predictq_dead_letters": 0.0}, False
    world.pass_time(watch, 30)
    assert world.levels() == {"dead-letters": "over"}
    world.takes_news = True
    world.pass_time(watch, 30)
    assert world.titles[1:] == ["predictq: 1 resolved: dead-letters"]


def test_end_that_was_not_told_is_given_up_after_an_hour(world: World) -> None:
    world.says = {"predictq_dead_letters": 1.0}
    world.pass_time(watch := world.watch())
    world.says, world.takes_news = {"predictq_dead_letters": 0.0}, False
    world.pass_time(watch, 3700)
    assert world.levels() == {}


def test_alert_that_comes_back_before_its_end_was_told_is_no_news(world: World) -> None:
    world.says = {"predictq_dead_letters": 1.0}
    world.pass_time(watch := world.watch())
    world.takes_news = False
    for letters in (0.0, 1.0):
        world.says = {"predictq_dead_letters": letters}
        world.pass_time(watch, 30)
    world.takes_news = True
    world.pass_time(watch, 30)
    assert len(world.titles) == 1
    world.says = {"predictq_dead_letters": 0.0}
    world.pass_time(watch, 30)
    assert world.titles[1:] == ["predictq: 1 resolved: dead-letters"]


def test_alerts_go_on_while_the_api_is_away(world: World) -> None:
    world.says = {"predictq_dead_letters": 1.0}
    world.pass_time(watch := world.watch())
    world.is_up = False
    world.pass_time(watch, 120)
    assert world.levels() == {"dead-letters": "firing", "api-down": "firing"}
    world.is_up = True
    world.pass_time(watch)
    assert world.levels() == {"dead-letters": "firing"}


def test_alerts_go_on_and_are_told_while_redis_is_away(world: World) -> None:
    world.says = {"predictq_dead_letters": 1.0}
    world.pass_time(watch := world.watch())
    world.store.is_away, world.says = True, {REDIS_UP: 0.0}
    world.pass_time(watch, 60)
    world.store.is_away, world.says = False, {"predictq_dead_letters": 1.0}
    world.pass_time(watch, 30)
    assert world.titles[1:] == [
        "predictq: 1 firing: redis-down",
        "predictq: 1 resolved: redis-down",
    ]
    assert world.levels() == {"dead-letters": "firing"}


def test_watch_that_starts_without_redis_waits_for_it(world: World) -> None:
    watch, world.store.is_away = world.watch(), True
    world.says = {"predictq_dead_letters": 1.0}
    world.pass_time(watch, 30)
    assert world.titles == []
    world.store.is_away = False
    world.pass_time(watch)
    assert len(world.titles) == 1


def test_clock_that_is_set_back_begins_the_wait_anew(world: World) -> None:
    world.says = {"predictq_clock_skew_seconds": 2.0}
    world.pass_time(watch := world.watch(), 200)
    world.now -= 1000
    world.pass_time(watch, 290)
    assert world.titles == []
    world.pass_time(watch, 30)
    assert len(world.titles) == 1


def test_state_of_a_rule_that_is_gone_is_dropped(world: World) -> None:
    gone = AlertState(name="of-an-earlier-release", value=1, since=1, level="firing", is_told=True)
    world.store.kept = {gone.key: gone}
    world.pass_time(world.watch())
    assert (world.levels(), world.titles) == ({}, [])
