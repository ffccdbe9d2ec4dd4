"""Each process reads its settings once, in its composition root, and hands them on."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from stack.process import ROOT

ROOTS = {
    "api/app.py",
    "api/server.py",
    "api/watch/__main__.py",
    "workers/app.py",
    "workers/environments/launching.py",
    "workers/pool/fork_server.py",
    "workers/registrations/checking.py",
}


def test_settings_are_read_in_composition_roots_alone() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for package in ("api", "tasks", "registry", "workers")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"Settings\.from_environment\(", path.read_text())
    }
    assert readers == ROOTS


PROGRAM = """
import json
from celery.signals import worker_init
from tasks.prediction import predict
from workers.app import app, services

class Worker:
    options = {}

worker_init.send(sender=Worker)
print(json.dumps({
    "transport": app.connection_for_read().transport.services is services,
    "pool": app.conf.worker_pool.services is services,
    "steps": Worker.options["services"] is services,
    "strategy": predict.Strategy.args == (services,),
    "backend": predict.backend.ledger is services.ledger,
}))
"""


def test_worker_hands_the_same_services_to_all_of_celery(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "PREDICTQ_HOME": str(tmp_path), "REDIS_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(told.stdout) == dict.fromkeys(
        ("transport", "pool", "steps", "strategy", "backend"), True
    )
