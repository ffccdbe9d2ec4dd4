"""The compose file promises confined containers, loopback only, and a Redis that loses nothing."""

import json
import re
from typing import Any

import pytest
from deployment import ROOT, run

SERVICES = [
    *("alertmanager", "api", "bulk", "flower", "grafana", "nginx", "prometheus", "redis"),
    *("watch", "worker"),
]
Compose = dict[str, Any]


def test_services(compose: Compose) -> None:
    assert sorted(compose["services"]) == SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_confined(compose: Compose, name: str) -> None:
    service = compose["services"][name]
    assert int(service["user"].split(":")[0]) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in service["tmpfs"]


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_watched(compose: Compose, name: str) -> None:
    service = compose["services"][name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"
    assert service["stop_grace_period"]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_loopback_only(compose: Compose, name: str) -> None:
    ports = compose["services"][name].get("ports", [])
    assert all(port["host_ip"] == "127.0.0.1" for port in ports)


@pytest.mark.parametrize("name", ["redis", "worker", "bulk"])
def test_redis_and_the_loader_of_models_reach_nothing_else(compose: Compose, name: str) -> None:
    assert "ports" not in compose["services"][name]
    assert list(compose["services"][name]["networks"]) == ["queue"]
    assert compose["networks"]["queue"]["internal"] is True


def test_redis_keeps_what_it_accepted(compose: Compose) -> None:
    command = " ".join(compose["services"]["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--appendfsync always" in command
    assert "--maxmemory-policy noeviction" in command
    assert "--maxmemory 512mb" in command
    assert "redis:/data" in volumes(compose, "redis")
    assert command.startswith("sh /redis.sh /data redis-server "), "a torn log is mended first"


def test_api_and_worker_share_the_registry(compose: Compose) -> None:
    for name in ("api", "worker", "bulk"):
        assert volumes(compose, name) == ["home:/data", "models:/data/models"]
        mounts = compose["services"][name]["volumes"]
        assert [mount.get("read_only", False) for mount in mounts] == [False, name == "api"]


@pytest.mark.parametrize("name", SERVICES)
def test_services_have_memory_and_process_limits(compose: Compose, name: str) -> None:
    service = compose["services"][name]
    assert 2**28 <= int(service["mem_limit"]) <= 2**33
    assert service["pids_limit"] <= 1024


@pytest.mark.parametrize("name", SERVICES)
def test_services_rotate_their_logs(compose: Compose, name: str) -> None:
    logging = compose["services"][name]["logging"]
    assert logging == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}


@pytest.mark.parametrize("name", ["api", "worker", "bulk", "flower"])
def test_services_start_after_redis_is_healthy(compose: Compose, name: str) -> None:
    depends = compose["services"][name]["depends_on"]
    assert depends["redis"]["condition"] == "service_healthy"


def test_prometheus_asks_the_api_by_a_name_that_it_answers_to(compose: Compose) -> None:
    hosts = compose["services"]["api"]["environment"]["PREDICTQ_HOSTS"].split(",")
    configuration = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text()
    (alerting, targets) = re.findall(r"targets: \[(.*)\]", configuration)
    assert alerting.strip('"').partition(":")[0] in SERVICES
    assert {target.strip(' "').partition(":")[0] for target in targets.split(",")} <= set(hosts)


def test_metrics_of_several_processes_meet_on_a_tmpfs(compose: Compose) -> None:
    api = compose["services"]["api"]
    directory = api["environment"]["PROMETHEUS_MULTIPROC_DIR"]
    assert any(mount.split(":")[0] == directory for mount in api["tmpfs"])


ACCOUNT = {"PREDICTQ_FLOWER_USER": "me", "PREDICTQ_FLOWER_PASSWORD": "secret"}


@pytest.mark.parametrize("account", [{}, ACCOUNT])
def test_flower_gets_the_account_that_was_set(account: dict[str, str]) -> None:
    answer = run("docker-compose", "config", "--format", "json", env=account)
    environment = json.loads(answer.stdout)["services"]["flower"]["environment"]
    assert {name: environment[name] for name in ACCOUNT} == (account or dict.fromkeys(ACCOUNT, ""))


@pytest.mark.parametrize("given", ACCOUNT)
def test_flower_login_without_a_password_is_refused(given: str) -> None:
    answer = run("docker-compose", "config", "-q", env={given: ACCOUNT[given]})
    assert answer.returncode != 0
    assert "must be set too" in answer.stderr


def volumes(compose: Compose, name: str) -> list[str]:
    """The mounts of a service as ``source:target``."""
    return [f"{each['source']}:{each['target']}" for each in compose["services"][name]["volumes"]]
