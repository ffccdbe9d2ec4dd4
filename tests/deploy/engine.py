"""Runs real containers without a system engine: podman in its own namespaces."""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from deployment import ROOT, TOOLS, Finished

CONTAINERS = """\
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[network]
network_backend = "netavark"
network_config_dir = "{0}/networks"
"""
STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{0}/graph"
runroot = "{0}/run"
"""
# The command is PID 1 of its own network, mount and PID namespaces; all processes end with it.
SERVE = """\
mount -t tmpfs tmpfs /run && ip link set lo up && exec podman system service --time=0 "$1"
"""
# Without systemd, nothing else runs podman's health checks.
WATCH = """\
while :; do
  for each in $(podman ps -q); do podman healthcheck run "$each" >/dev/null 2>&1; done
  sleep 1
done
"""


class Engine:
    """A private podman under ``directory``, which is removed at the end."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._socket = directory / "podman.sock"
        (directory / "containers.conf").write_text(CONTAINERS.format(directory))
        (directory / "storage.conf").write_text(STORAGE.format(directory))
        self._environment = {
            "CONTAINERS_CONF": str(directory / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(directory / "storage.conf"),
            "DOCKER_HOST": f"unix://{self._socket}",
            "HOME": str(directory),
            "PATH": TOOLS,
        }

    def __enter__(self) -> Self:
        spaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
        self._log = (self.directory / "service.log").open("w")
        self._holder = self._start(*spaces, "sh", "-c", SERVE, "sh", f"unix://{self._socket}")
        self._wait_for_service()
        self._watch = self._start(*self._inside("sh", "-c", WATCH))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (self._watch, self._holder):
            process.kill()
            process.wait()
        self._log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, *command: str | Path, timeout: float = 900) -> str:
        """Run a command inside and return its output; AssertionError with all of it if it fails."""
        finished = self.attempt(*command, timeout=timeout)
        assert finished.returncode == 0, f"{command}: {finished.stdout}{finished.stderr}"
        return finished.stdout

    def attempt(self, *command: str | Path, timeout: float = 900) -> Finished:
        """Run a command inside and return the completed process, whatever its exit code."""
        return subprocess.run(
            self._inside(*map(str, command)),
            check=False,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def build(self, file: Path, image: str, *options: str | Path) -> None:
        """Build an image of the repository under this name."""
        how = ["--format", "docker", "--isolation", "chroot", "--pull=never", "--layers", "-q"]
        self.run("buildah", "build", *how, "-f", file, "-t", image, *options, ROOT)

    def compose(self, *arguments: str | Path) -> str:
        """Run Compose on the repository's file."""
        return self.run("docker-compose", "--project-directory", ROOT, *arguments)

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command, env=self._environment, stdout=self._log, stderr=subprocess.STDOUT
        )

    def _inside(self, *command: str) -> list[str]:
        target = f"/proc/{self._holder.pid}/task/{self._holder.pid}/children"
        (first,) = Path(target).read_text().split()
        enter = ["nsenter", "--target", first, "--mount", "--net", "--pid"]
        return [*enter, "env", "-C", str(self.directory), *command]

    def _wait_for_service(self) -> None:
        deadline = time.monotonic() + 30
        while not self._socket.exists():
            if self._holder.poll() is not None or time.monotonic() > deadline:
                self._holder.kill()
                raise OSError((self.directory / "service.log").read_text() or "no answer")
            time.sleep(0.05)


def ask(engine: Engine, url: str, body: str = "") -> str:
    """The body of the answer to a GET, or to a POST of a JSON body."""
    script = (
        "import sys, urllib.request as r; "
        "q = r.Request(sys.argv[1], sys.argv[2].encode() or None, {'content-type': sys.argv[3]}); "
        "print(r.urlopen(q, timeout=30).read().decode())"
    )
    return engine.run(sys.executable, "-c", script, url, body, "application/json")
