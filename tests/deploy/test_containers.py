"""Builds the images, starts the compose stack and asks it for a prediction."""

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment import ROOT, skip_with_warning
from engine import Engine, ask
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from standins import Impossible, fetch_wheels, make_base, name_images, prepare_tools

from workers.models.artifacts import save

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive, pytest.mark.timeout(1800)]
IMAGES = ("api", "worker", "flower")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A podman that holds the public images; skips where this machine cannot run one."""
    directory = tmp_path_factory.mktemp("engine")
    (directory / "wheels").mkdir()
    try:
        prepare_tools()
        fetch_wheels(directory / "wheels")
        make_base(directory / "base.tar")
        with Engine(directory) as engine:
            name_images(engine, directory / "base.tar")
            yield engine
    except (Impossible, OSError, AssertionError) as reason:
        skip_with_warning(f"containers were not started: {reason}")


@pytest.fixture(scope="module")
def stack(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The stack with every service healthy."""
    pip = tmp_path_factory.mktemp("pip") / "pip.conf"
    pip.write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    volumes = [f"--volume={engine.directory}/wheels:/wheels:ro", f"--volume={pip}:/etc/pip.conf:ro"]
    for name in IMAGES:
        image = f"docker.io/library/predictq-{name}"
        engine.build(ROOT / "deploy/Dockerfile", image, "--target", name, *volumes)
    try:
        engine.compose("up", "-d", "--no-build", "--pull=never", "--wait", "--wait-timeout=180")
    except AssertionError as error:
        logs = engine.compose("logs", "--no-color", "--tail=20")
        raise AssertionError(f"not every service is healthy:\n{logs}") from error
    yield engine
    engine.compose("down", "--volumes")
    assert engine.run("podman", "ps", "--all", "--quiet") == ""


def test_registered_model_answers(stack: Engine, tmp_path: Path) -> None:
    rows, labels = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=1000).fit(rows, labels)
    file = tmp_path / "iris.skops"
    save(model, file)
    # The documents say `compose run`, but podman does not always report that such a run ended.
    inside = ["exec", "-T", "worker", "python"]
    write = (
        "import base64, sys; open('/data/iris.skops', 'wb').write(base64.b64decode(sys.argv[1]))"
    )
    stack.compose(*inside, "-c", write, b64encode(file.read_bytes()).decode())
    stack.compose(*inside, "-m", "cli.main", "models", "add", "iris", "/data/iris.skops")
    body = json.dumps({"model": "iris", "features": rows.tolist()})
    answer = json.loads(ask(stack, "http://127.0.0.1:5000/predict", body))
    assert answer["predictions"] == model.predict(rows).tolist()


def test_prometheus_scrapes_the_api(stack: Engine) -> None:
    deadline = time.monotonic() + 60
    query = "http://127.0.0.1:9090/api/v1/query?query=up"
    while '"1"' not in (answer := ask(stack, query)):
        assert time.monotonic() < deadline, answer
        time.sleep(0.5)


def test_flower_without_an_account_is_open(stack: Engine) -> None:
    assert "celery@" in ask(stack, "http://127.0.0.1:5555/workers")


@pytest.mark.parametrize("name", IMAGES)
def test_container_runs_unprivileged_and_read_only(stack: Engine, name: str) -> None:
    assert stack.compose("exec", "-T", name, "id", "-u").strip() == "10001"
    assert "ok" in stack.compose("exec", "-T", name, "sh", "-c", "touch /app/new || echo ok")


def test_api_container_has_no_scikit_learn(stack: Engine) -> None:
    find = "from importlib.util import find_spec; print(find_spec('sklearn'), find_spec('numpy'))"
    assert stack.compose("exec", "-T", "api", "python", "-c", find).strip() == "None None"
