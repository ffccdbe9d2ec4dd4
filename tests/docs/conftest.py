"""A stack started by `up` in an empty home directory."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.docs.documents import ROOT
from tests.support.stack import until

START_TIMEOUT = 150.0
ENDING = 15.0
OURS = ("REDIS_URL", "XDG_STATE_HOME")
COMMANDS = {
    "predictq": '"$PYTHON" -m cli.main "$@"',
    "run": '"$PYTHON" -m cli.main "$@"',
    "python": '"$PYTHON" "$@"',
}


class Newcomer(NamedTuple):
    """A new user's home directory and shell, with a stack running."""

    home: Path
    port: int
    flower_port: int
    output: str
    environment: dict[str, str]
    process: "subprocess.Popen[bytes]"

    def is_whole(self) -> bool:
        """Whether `up` runs; it starts again what ends."""
        return self.process.poll() is None

    def here(self, text: str) -> str:
        """Replace the addresses in a document with those of this stack."""
        there = {
            "127.0.0.1:5000": f"127.0.0.1:{self.port}",
            "127.0.0.1:5555": f"127.0.0.1:{self.flower_port}",
        }
        for default, actual in there.items():
            text = text.replace(default, actual)
        return text


@pytest.fixture(scope="session")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    """The state after the README's `./run up`."""
    home = tmp_path_factory.mktemp("newcomer")
    ports = _free_ports()
    environment = _environment(home, ports[0])
    printed = home / "up.out"
    options = ["--port", str(ports[0]), "--flower-port", str(ports[1]), "--workers", "1"]
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "up", *options],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: _is_ready(process, printed), "ready", START_TIMEOUT)
        yield Newcomer(home, *ports, printed.read_text(), environment, process)
    finally:
        process.terminate()
        process.wait(ENDING)


def _is_ready(process: "subprocess.Popen[bytes]", printed: Path) -> bool:
    assert process.poll() is None, printed.read_text()
    return "\ncurl " in printed.read_text()


def _environment(home: Path, port: int) -> dict[str, str]:
    """The environment of a shell: our commands on PATH, and no setting but the address."""
    commands = home / "bin"
    commands.mkdir()
    for name, body in COMMANDS.items():
        (commands / name).write_text(f"#!/bin/sh\nexec {body}\n")
        (commands / name).chmod(0o755)
    path = os.pathsep.join([str(commands), os.environ["PATH"]])
    return {
        **{n: v for n, v in os.environ.items() if n not in OURS and "PREDICTQ" not in n},
        "HOME": str(home),
        "PATH": path,
        "PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "client")]),
        "PREDICTQ_BATCH_PRIORITY": "normal",
        "PREDICTQ_URL": f"http://127.0.0.1:{port}",
    }


def _free_ports() -> tuple[int, int]:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        return one.getsockname()[1], other.getsockname()[1]
