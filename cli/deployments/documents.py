"""A deployment as a Compose service, a systemd unit and a Kubernetes manifest."""

import json
import re
import shlex
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from registry.deployments.deployment import Deployment
from stack.process import ROOT
from stack.programs import worker_arguments, worker_environment

CONTAINER_NODE = "celery"
"""The request of the image's health check."""
GRACE_SECONDS = 35
"""From the signal to the end of a worker, as in docker-compose.yml."""
_PLAIN_LABEL = re.compile(r"(?=.{1,50}\Z)[a-z0-9]+-[a-z0-9]+")
"""Labels that only one model and environment can have."""
_CUT_LABEL = 41
"""Characters before the hash."""
_SYSTEMD_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "%": "%%"})


def compose(deployment: Deployment, _home: Path) -> str:
    """A service beside those of our docker-compose.yml: `-f docker-compose.yml -f this`."""
    limits = [f"    scale: {int(deployment.state == 'running')}"]
    if deployment.memory_limit:
        limits.append(f"    mem_limit: {deployment.memory_limit}")
    if deployment.cpu_limit:
        limits.append(f"    cpus: {deployment.cpu_limit:g}")
    return _lines(
        "services:",
        f"  {_label(deployment)}:",
        "    extends: {file: docker-compose.yml, service: worker}",
        f"    command: {json.dumps(_command(deployment))}",
        *(f"    environment: {{{n}: {v!r}}}" for n, v in worker_environment(deployment).items()),
        *limits,
    )


def systemd(deployment: Deployment, home: Path) -> str:
    """A unit of a machine that has this clone, and reaches the Redis and the home of the stack."""
    environment = {"PREDICTQ_HOME": str(home), **worker_environment(deployment)}
    command = shlex.join(["-m", *worker_arguments(deployment)])
    limits = [f"MemoryMax={deployment.memory_limit}"] if deployment.memory_limit else []
    if deployment.cpu_limit:
        limits.append(f"CPUQuota={max(round(deployment.cpu_limit * 100), 1)}%")
    return _lines(
        "[Unit]",
        f"Description=predictq workers of {deployment.reference}",
        "After=network-online.target",
        "",
        "[Service]",
        f"WorkingDirectory={str(ROOT).replace('%', '%%')}",
        "# Has REDIS_URL=… of the Redis that the API uses.",
        "EnvironmentFile=/etc/predictq.env",
        *(f"Environment={_quoted(f'{name}={value}')}" for name, value in environment.items()),
        f"ExecStart={_quoted(f'{ROOT}/.venv/bin/python')} {command}",
        "Restart=always",
        f"TimeoutStopSec={GRACE_SECONDS}",
        "KillMode=mixed",
        *limits,
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    )


def kubernetes(deployment: Deployment, _home: Path) -> str:
    """A Deployment of Kubernetes, which prints as JSON in YAML, that both of them are."""
    name, limits = _label(deployment), {}
    if deployment.memory_limit:
        limits["memory"] = str(deployment.memory_limit)
    if deployment.cpu_limit:
        limits["cpu"] = f"{deployment.cpu_limit:g}"
    labels = {"app.kubernetes.io/name": "predictq-worker", "app.kubernetes.io/instance": name}
    environment = {"REDIS_URL": "redis://redis:6379/0", **worker_environment(deployment)}
    probe = {"exec": {"command": ["python", "health/worker.py"]}, "timeoutSeconds": 8}
    container = {
        "name": "worker",
        "image": "predictq-worker",
        "command": _command(deployment),
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "resources": {"limits": limits, "requests": limits},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "startupProbe": {**probe, "failureThreshold": 30, "periodSeconds": 10},
        "livenessProbe": {**probe, "periodSeconds": 10},
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - of the container
        ],
    }
    spec = {
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001},
        "containers": [container],
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": "predictq-data"}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"predictq-{name}", "labels": labels},
        "spec": {
            "replicas": int(deployment.state == "running"),
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    return json.dumps(manifest, indent=2) + "\n"


DOCUMENTS: dict[str, Callable[[Deployment, Path], str]] = {
    "compose": compose,
    "kubernetes": kubernetes,
    "systemd": systemd,
}


def _command(deployment: Deployment) -> list[str]:
    return ["python", "-m", *worker_arguments(deployment, CONTAINER_NODE)]


def _label(deployment: Deployment) -> str:
    """A name that Compose and Kubernetes take, in lower case; no two deployments have the same."""
    text = f"{deployment.model}-{deployment.environment}"
    if _PLAIN_LABEL.fullmatch(text):
        return text
    # `a.b@c`, `a-b@c` and `a@b-c` would have one label, and so replace each other.
    digest = blake2b(deployment.reference.encode(), digest_size=4).hexdigest()
    cut = "".join(char if char.isalnum() else "-" for char in text.lower())[:_CUT_LABEL]
    return f"{cut.strip('-')}-{digest}"


def _quoted(text: str) -> str:
    """A text in quotes as systemd reads it, which knows escapes and specifiers, such as %h."""
    return f'"{text.translate(_SYSTEMD_ESCAPES)}"'


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"
