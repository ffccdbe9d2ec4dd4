"""The client installed from its wheel, in an environment with its dependencies."""

import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from stack.process import ROOT
from tests.unit.fake_server import stand_in, succeeded

pytestmark = pytest.mark.slow

ASK = """
import sys
from predictq import Client
with Client(sys.argv[1]) as client:
    print(client.predict("iris", [5.1, 3.5, 1.4, 0.2]).predictions)
known = {"numpy", "pandas", "polars", "pyarrow", "sklearn"}
print(sorted(known & sys.modules.keys()), *sorted(set(sys.modules) & {"api", "tasks", "cli"}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as `python -m build --no-isolation --wheel client` does."""
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT / "client", check=True, capture_output=True)
    (made,) = target.iterdir()
    return made


def needed(name: str) -> Iterator[str]:
    """The names of an installed distribution and all its dependencies."""
    yield name
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield from needed(requirement.name)


def link_packages(name: str, target: Path) -> None:
    """Link a distribution's packages into the other environment."""
    found = distribution(name)
    for part in {file.parts[0] for file in found.files or () if file.parts[0] != ".."}:
        link = target / part
        if not link.exists():
            link.symlink_to(Path(str(found.locate_file(part))))


def test_client_wheel_needs_one_dependency(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path, with_pip=True)
    python = tmp_path / "bin" / "python"
    # Dependencies are linked, since the index may be out of reach; `pip check` finds gaps.
    (packages,) = tmp_path.glob("lib/python*/site-packages")
    for name in set(needed("httpx2")):
        link_packages(name, packages)
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-q", "--no-index", wheel], check=True, cwd=tmp_path)
    with stand_in() as server:
        server.script(succeeded([2]))
        command = [python, "-I", "-c", ASK, server.url]
        asked = subprocess.run(command, capture_output=True, text=True, check=True)
    assert asked.stdout == "[2]\n[]\n"


def test_client_wheel_contains_the_client_only(wheel: Path) -> None:
    assert wheel.name == "predictq_client-0.1.0-py3-none-any.whl"
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", wheel], capture_output=True, text=True, check=True
    )
    files = [line.split()[0] for line in listed.stdout.splitlines()[1:]]
    assert {file.split("/")[0] for file in files} == {
        "predictq",
        "predictq_client-0.1.0.dist-info",
    }
    assert "predictq/py.typed" in files
