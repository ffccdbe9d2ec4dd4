"""The chart of Kubernetes by its real tools; they are no Python packages that the tests install.

Without Helm on the PATH these tests are skipped, and pytest's summary says so.
"""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployment import ROOT, run

pytestmark = pytest.mark.slow

CHART = "deploy/helm/predictq"
BASE = ROOT / "deploy/kubernetes/predictq.yaml"
EVERYTHING = "autoscaling.kind=keda,monitoring.enabled=true,ingress.enabled=true"
Document = dict[str, Any]


def helm(command: str, *arguments: str) -> str:
    answer = run("helm", *shlex.split(command), *arguments)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def rendered(*arguments: str) -> dict[tuple[str, str], Document]:
    """What the chart makes, by kind and name."""
    text = helm(f"template predictq {CHART}", *arguments)
    found = [each for each in yaml.safe_load_all(text) if each]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


@pytest.fixture(scope="session")
def everything() -> dict[tuple[str, str], Document]:
    """The chart with all of its parts."""
    return rendered("--set", EVERYTHING)


def pods(documents: dict[tuple[str, str], Document]) -> list[Document]:
    kinds = ("Deployment", "StatefulSet")
    found = [one for (kind, _), one in documents.items() if kind in kinds]
    templates = [one["spec"]["template"]["spec"] for one in found]
    return [*templates, documents["Pod", "predictq-predict"]["spec"]]


def test_chart_passes_lint() -> None:
    helm(f"lint --strict {CHART}")


def test_value_that_is_misspelt_is_refused() -> None:
    answer = run("helm", "template", "predictq", CHART, "--set", "worker.proceses=3")
    assert answer.returncode != 0
    assert "proceses" in answer.stderr


def test_kustomize_base_is_what_the_chart_makes() -> None:
    helm("version")  # skips without Helm
    answer = run("sh", "deploy/helm/render.sh")
    assert answer.stdout == BASE.read_text()


def test_pods_run_without_root_and_write_only_to_volumes(
    everything: dict[tuple[str, str], Document],
) -> None:
    assert len(pods(everything)) == 7
    for pod in pods(everything):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} == container["resources"]["limits"].keys()


def test_workers_are_scaled_by_what_the_api_says(
    everything: dict[tuple[str, str], Document],
) -> None:
    scaled = everything["ScaledObject", "predictq-worker"]["spec"]
    (trigger,) = scaled["triggers"]
    told = trigger["metadata"]
    assert told["url"].endswith("svc:5000/scale?min=1&max=10&each=2&wait=1")
    assert (told["valueLocation"], told["targetValue"]) == ("replicas", "1")
    assert "replicas" not in everything["Deployment", "predictq-worker"]["spec"]
    assert ("HorizontalPodAutoscaler", "predictq-worker") in rendered(
        "--set", "autoscaling.kind=hpa"
    )


def test_rules_dashboard_and_script_are_the_committed_ones(
    everything: dict[tuple[str, str], Document],
) -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())
    assert everything["PrometheusRule", "predictq"]["spec"] == rules
    dashboard = everything["ConfigMap", "predictq-dashboard"]["data"]["predictq.json"]
    assert json.loads(dashboard) == json.loads((ROOT / "deploy/grafana/predictq.json").read_text())
    script = everything["ConfigMap", "predictq-redis"]["data"]["redis.sh"]
    assert script == (ROOT / "deploy/redis.sh").read_text()


@pytest.mark.parametrize("given", ["", EVERYTHING, "autoscaling.kind=hpa,redis.enabled=false"])
def test_documents_are_those_that_kubernetes_knows(given: str, tmp_path: Path) -> None:
    file = tmp_path / "rendered.yaml"
    file.write_text(helm(f"template predictq {CHART}", "--set", given))
    answer = run("kubernetes-validate", "--strict", "-k", "1.37", file)
    assert answer.returncode == 0, answer.stdout + answer.stderr
