"""A deployment as documents for other systems; Compose reads ours beside docker-compose.yml."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
    service = services["churn-v2-production"]
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


def test_kubernetes_manifest_has_its_limits() -> None:
    manifest = json.loads(kubernetes(LIMITED, HOME))
    assert manifest["metadata"]["name"] == "predictq-churn-v2-production"
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"] == {"memory": "1073741824", "cpu": "1.5"}
    selected = manifest["spec"]["selector"]["matchLabels"]
    assert selected == manifest["spec"]["template"]["metadata"]["labels"]
    assert json.loads(kubernetes(PLAIN, HOME))["spec"]["replicas"] == 0
