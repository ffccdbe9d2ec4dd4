"""A deployment as documents for other systems; Compose reads ours beside docker-compose.yml."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from cli.deployments.documents import compose, kubernetes, systemd
from registry.deployments.deployment import Deployment
from stack.process import ROOT

COMPOSE = Path(sys.executable).with_name("docker-compose")
HOME = Path("/srv/predictq")
LIMITED = Deployment(
    model="Churn.v2",
    environment="production",
    concurrency=2,
    memory_limit=2**30,
    cpu_limit=1.5,
)
DIGEST = "4adbb51c"
"""Of the reference of `LIMITED`."""
PLAIN = Deployment(model="churn", environment="b", state="stopped")


@pytest.mark.parametrize("deployment", [LIMITED, PLAIN], ids=["limited", "plain"])
def test_compose_reads_the_service(deployment: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "deployment.yml"
    path.write_text(compose(deployment, HOME))
    files = ["-f", "docker-compose.yml", "-f", str(path)]
    read = subprocess.run(
        [COMPOSE, "--project-directory", ".", *files, "config", "--format", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    services = json.loads(read.stdout)["services"]
    if deployment is PLAIN:
        assert services["churn-b"]["scale"] == 0
        return
    service = services[f"churn-v2-production-{DIGEST}"]
    assert service["command"][:4] == ["python", "-m", "workers", "predict:Churn.v2@production"]
    assert (int(service["mem_limit"]), service["cpus"], service["scale"]) == (2**30, 1.5, 1)
    assert service["environment"]["PREDICTQ_PREDICTION_MEMORY"] == str(2**29)
    assert service["environment"]["REDIS_URL"] == "redis://redis:6379/0"
    assert service["read_only"] is True


def test_systemd_unit_has_its_limits() -> None:
    unit = systemd(LIMITED, HOME)
    assert "MemoryMax=1073741824\nCPUQuota=150%\n" in unit
    assert 'Environment="PREDICTQ_HOME=/srv/predictq"' in unit
    assert "workers predict:Churn.v2@production --processes 2 --node Churn.v2+production" in unit
    assert "MemoryMax" not in systemd(PLAIN, HOME)


def test_systemd_unit_keeps_a_home_as_it_is_written() -> None:
    unit = systemd(PLAIN, Path('/srv/50% of "it"\\\nExecStartPre=/bin/evil'))
    (line,) = (line for line in unit.splitlines() if "PREDICTQ_HOME" in line)
    told = r"/srv/50%% of \"it\"\\\nExecStartPre=/bin/evil"
    assert line == f'Environment="PREDICTQ_HOME={told}"'


def test_systemd_unit_has_no_quota_of_nothing() -> None:
    assert "CPUQuota=1%\n" in systemd(replace(PLAIN, cpu_limit=0.001), HOME)


def test_labels_of_deployments_differ_and_are_short() -> None:
    """With one label the workers of one deployment would replace those of the other."""
    twins = [
        ("a-b", "c"),
        ("a.b", "c"),
        ("a", "b-c"),
        ("A", "b-c"),
        ("m" * 64, "x"),
        ("m" * 64, "y"),
    ]
    made = [
        json.loads(kubernetes(Deployment(model=model, environment=environment), HOME))
        for model, environment in twins
    ]
    names = [each["metadata"]["name"] for each in made]
    assert len(set(names)) == len(twins)
    assert all(re.fullmatch("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])", name) for name in names)


def test_kubernetes_manifest_has_its_limits() -> None:
    manifest = json.loads(kubernetes(LIMITED, HOME))
    assert manifest["metadata"]["name"] == f"predictq-churn-v2-production-{DIGEST}"
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"] == {"memory": "1073741824", "cpu": "1.5"}
    selected = manifest["spec"]["selector"]["matchLabels"]
    assert selected == manifest["spec"]["template"]["metadata"]["labels"]
    assert json.loads(kubernetes(PLAIN, HOME))["spec"]["replicas"] == 0
