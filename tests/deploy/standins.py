"""Stand-ins for public images without an image registry: one small Debian system."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from deployment import ROOT
from engine import Engine

NEEDED = ("podman", "buildah", "runc", "mmdebstrap", "unshare", "nsenter", "iptables", "ip")
PACKAGES = (
    *("podman", "buildah", "runc", "netavark", "aardvark-dns", "catatonit"),
    *("iptables", "iproute2", "mmdebstrap"),
)
# As in the public images: `python` and a free pip, and data directories that belong to the service.
SHAPE = """\
ln -s python3 "$1/usr/bin/python"
rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED
install -d -o 999 -g 999 "$1/data"
install -d -o 65534 -g 65534 "$1/prometheus"
"""


class Impossible(Exception):
    """This machine cannot run the containers, whatever our files say."""


def prepare_tools() -> None:
    """Install podman and its parts from Debian's packages if they are missing and we are root."""
    if os.geteuid():
        raise Impossible("podman needs root here, for namespaces of its own")
    if sys.version_info[:2] != (3, 11):
        raise Impossible("the stand-in image has Python 3.11, whose packages only a 3.11 can fetch")
    if all(map(shutil.which, NEEDED)):
        return
    if shutil.which("apt-get") is None:
        raise Impossible("podman is not installed, and there is no apt-get")
    step("apt-get", "update", "-qq")
    step("apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES)


def fetch_wheels(directory: Path) -> None:
    """Download what the locks pin into ``directory``."""
    pip = [str(Path(sys.base_prefix, "bin/python3")), "-m", "pip", "download", "-q"]
    locks = []
    for name in ("api", "worker", "flower"):
        lock = directory / f"{name}.lock"
        # The stand-in has Debian's Python 3.11.2, which needs what this marker is for.
        text = (ROOT / f"requirements/{name}.lock").read_text()
        lock.write_text(text.replace(" ; python_full_version < '3.11.3'", ""))
        locks += ["-r", lock]
    step(*pip, "--only-binary=:all:", "--require-hashes", *locks, "-d", directory)


def make_base(archive: Path) -> None:
    """Build the system that stands in for every public image."""
    hook = archive.with_name("shape.sh")
    hook.write_text(SHAPE)
    packages = "python3,python3-pip,python3-venv,ca-certificates,redis-server,prometheus"
    lean = ("--variant=minbase", '--aptopt=Apt::Install-Recommends "false"')
    run_hook = f'--customize-hook=sh {hook} "$1"'
    step("mmdebstrap", *lean, f"--include={packages}", run_hook, "bookworm", archive)


def name_images(engine: Engine, archive: Path) -> None:
    """Tag the system with the public image names that our files use."""
    services = json.loads(engine.compose("config", "--format", "json"))["services"]
    base = "docker.io/library/python:3.11-slim"
    engine.run("podman", "import", "-q", archive, base)
    engine.run("podman", "tag", base, f"docker.io/library/{services['redis']['image']}")
    file = archive.with_name("prometheus.Dockerfile")
    file.write_text(f'FROM {base}\nENTRYPOINT ["prometheus"]\n')
    engine.build(file, f"docker.io/{services['prometheus']['image']}")


def step(*command: str | Path) -> None:
    """Run one step of the preparation; `Impossible` with its last words if it fails."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    finished = subprocess.run(
        command, check=False, env=environment, capture_output=True, text=True, timeout=600
    )
    if finished.returncode:
        raise Impossible(f"{command[0]} failed: {finished.stderr.strip()[-500:]}")
