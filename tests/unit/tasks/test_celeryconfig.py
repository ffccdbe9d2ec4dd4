"""`celeryconfig`: no misspelt setting (Celery ignores them silently), JSON only, two queues."""

from types import ModuleType
from typing import Any

import pytest
from celery.app.defaults import NAMESPACES, flatten
from kombu.transport.redis import Channel

import celeryconfig
from tasks.app import app

KNOWN = {name for name, _ in flatten(NAMESPACES)}
SETTINGS = {
    name: value
    for name, value in vars(celeryconfig).items()
    if not name.startswith("_") and not isinstance(value, ModuleType | type)
}


@pytest.mark.parametrize("name", SETTINGS)
def test_celery_knows_the_setting(name: str) -> None:
    assert name in KNOWN


@pytest.mark.parametrize("name", celeryconfig.broker_transport_options)
def test_kombu_knows_the_transport_option(name: str) -> None:
    assert name in Channel.from_transport_options


def test_misspelt_celery_setting_is_noticed() -> None:
    assert "worker_prefetch_multiplyer" not in KNOWN
    assert "worker_prefetch_multiplier" in KNOWN


def test_celery_application_has_the_settings() -> None:
    assert {name: app.conf[name] for name in SETTINGS} == SETTINGS


@pytest.mark.parametrize("name", ["accept_content", "result_accept_content"])
def test_messages_are_json_only(name: str) -> None:
    accepted: Any = app.conf[name] or app.conf.accept_content
    assert list(accepted) == ["json"]


def test_queues_have_exchanges_of_their_own() -> None:
    lanes = {(q.name, q.exchange.name, q.routing_key) for q in celeryconfig.task_queues}
    assert lanes == {("predict", "predict", "predict"), ("bulk", "bulk", "bulk")}


def test_reservations_are_renewed_thrice_in_the_shortest_visibility_timeout() -> None:
    assert 3 * celeryconfig.broker_transport_options["unacked_restore_interval"] <= 2
