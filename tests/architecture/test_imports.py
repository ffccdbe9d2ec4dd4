"""The front end holds neither models nor what computes with them; seen in a fresh interpreter."""

import json
import os
import subprocess
import sys
from pathlib import Path

from stack.process import ROOT

HEAVY = {
    "cloudpickle",
    "joblib",
    "numpy",
    "onnxruntime",
    "pandas",
    "pyarrow",
    "scipy",
    "skops",
    "sklearn",
}


def modules_after(program: str, home: Path) -> set[str]:
    """Top-level modules that a fresh interpreter holds once it ran the program."""
    told = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport json, sys; print(json.dumps([*sys.modules]))"],
        cwd=ROOT,
        env={**os.environ, "PREDICTQ_HOME": str(home), "REDIS_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {name.partition(".")[0] for name in json.loads(told.stdout.splitlines()[-1])}


def test_api_imports_no_model_libraries(tmp_path: Path) -> None:
    modules = modules_after("from api.app import create_app; create_app()", tmp_path)
    assert {"api", "flask", "tasks", "registry"} <= modules
    assert not modules & (HEAVY | {"celery", "workers", "cli", "predictq"})


def test_flower_and_stock_tools_import_no_model_libraries(tmp_path: Path) -> None:
    modules = modules_after(
        "from tasks.app import app; app.loader.import_default_modules()", tmp_path
    )
    assert "tasks" in modules
    assert not modules & (HEAVY | {"workers", "api", "flask"})


def test_worker_imports_no_model_libraries_and_no_http(
    tmp_path: Path,
) -> None:
    worker = modules_after(
        "import workers.pool.pool, workers.celery.strategy, workers.celery.transport", tmp_path
    )
    server = modules_after("import workers.pool.fork_server", tmp_path)
    assert "celery" in worker
    assert "pandas" in server
    assert "sklearn" not in server, "it takes seconds, which models of others need not wait for"
    assert not server & {"celery", "numba"}, "nothing there needs them at each start"
    assert not worker & HEAVY
    assert not (worker | server) & {"api", "flask", "werkzeug", "granian", "cli", "predictq"}


def test_client_imports_no_other_package_of_ours(tmp_path: Path) -> None:
    modules = modules_after("import sys; sys.path.insert(0, 'client'); import predictq", tmp_path)
    assert "httpx2" in modules
    assert not modules & {"api", "tasks", "workers", "registry", "telemetry", "cli", "celery"}
