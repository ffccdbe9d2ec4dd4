"""A script that was written for another service runs word for word."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.measurement import MEASUREMENT
from tests.support.models import with_models_of
from tests.support.stack import LiveStack
from tests.system.registry.conftest import trusting_uploads

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).with_name("old_script.py")
TOLD = """\
upload: 200 iris_rf
deploy: 200 deployed
predict: 200 [0] iris_rf
latency: True timestamp: True
load: 200 loaded
named: [0] 3
time: True ['created_at', 'estimator']
batch: 150 True
status: 200 True
stop: 200
delete: 200
"""


@pytest.fixture(scope="module")
def trusting(constant_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """A stack that trusts uploads; it is measured, as no other test reaches these routes."""
    home = with_models_of(constant_home, tmp_path_factory.mktemp("drop_in"))
    with MEASUREMENT.of_children(), trusting_uploads(home, forks=False) as stack:
        yield stack


def test_drop_in_runs_a_script_word_for_word(trusting: LiveStack, tmp_path: Path) -> None:
    key = trusting.http.headers["Authorization"].removeprefix("Bearer ")
    told = subprocess.run(
        [sys.executable, str(SCRIPT), trusting.url, key],
        cwd=tmp_path,
        env={**os.environ, "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert told.stdout == TOLD, told.stderr


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/upload_model"),
        ("POST", "/deploy"),
        ("POST", "/stop_deployment/iris"),
        ("DELETE", "/delete_model/iris"),
    ],
)
def test_drop_in_changes_need_the_local_key(trusting: LiveStack, method: str, path: str) -> None:
    answer = trusting.http.request(method, path, headers={"Authorization": ""})
    assert (answer.status_code, answer.json()["code"]) == (401, "key_missing")
    assert trusting.http.get("/models/iris").status_code == 200
