"""Triton's and KServe's clients use a stack; each runs in an environment of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.key_files import read_or_make_local_key
from tests.support.stack import LiveStack
from workers.environments.uv import _uv

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
HERE = Path(__file__).parent
OFFLINE = ("dns error", "failed to lookup", "error sending request", "Connection refused")
TRITON = """\
live True ready True
server predictq ['binary_tensor_data', 'model_repository', 'parameters']
model ['1'] True True
inputs {'name': 'sepal length (cm)', 'datatype': 'FP64', 'shape': [-1, 1]}
outputs [('predict', 'INT64', [-1]), ('predict_proba', 'FP64', [-1, 3])]
matrix [[2, 0]] [[2, 0]]
columns [[2, 0]]
as JSON [[2, 0]]
both [2, 0] [2, 0] (2, 3)
id mine
timeout [[2, 0]]
shape 422 tensor 'x' has the shape [2, 3]; expected [rows, 4], or a tensor for each column, \
by its name
version 404
index {'name': 'iris', 'version': '1', 'state': 'READY', 'reason': ''}
unloaded False UNAVAILABLE iris:1 is unloaded; the next prediction loads it again
loaded True READY
"""
KSERVE = """\
live True ready True
model True
no model False
infer iris mine [('predict', [2, 0])]
infer iris mine [('predict', [2, 0])]
refused tensor 'features' has the shape [2, 3]; expected [rows, 4]
"""


def printed(client: str, directory: Path, *words: str) -> str:
    """What a client's script prints, in an environment made from its lock."""
    python = directory / "bin" / "python"
    subprocess.run([_uv(), "venv", "-q", "-p", sys.executable, directory], check=True)
    install = [_uv(), "pip", "install", "-q", "--require-hashes", "--only-binary", ":all:"]
    made = subprocess.run(
        [*install, "--python", python, "-r", HERE / f"{client}.lock"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if any(sign in made.stderr for sign in OFFLINE):
        pytest.skip(f"{client}'s client cannot be fetched here: {made.stderr[-300:]}")
    assert made.returncode == 0, made.stderr
    told = subprocess.run(
        [python, HERE / f"{client}_client.py", *words],
        env={**os.environ, "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


def test_client_of_triton(stack: LiveStack, tmp_path: Path) -> None:
    key = read_or_make_local_key(stack.home).decode()
    address = stack.url.removeprefix("http://")
    assert printed("triton", tmp_path / "venv", address, key) == TRITON


def test_client_of_kserve(stack: LiveStack, tmp_path: Path) -> None:
    assert printed("kserve", tmp_path / "venv", stack.url) == KSERVE
