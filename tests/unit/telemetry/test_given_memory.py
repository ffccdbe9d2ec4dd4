"""The available memory: the machine's, or less by cgroups v1 or v2."""

from pathlib import Path

import psutil
import pytest

from telemetry.memory import available_memory

GIB = 2**30
MACHINE = psutil.virtual_memory().total


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


V2 = {
    "proc/self/cgroup": "0::/user.slice/ours\n",
    "sys/fs/cgroup/user.slice/ours/memory.max": "max\n",
    "sys/fs/cgroup/user.slice/memory.max": f"{GIB // 4}\n",
}
CONTAINER = {
    "proc/self/cgroup": "0::/\n",
    "sys/fs/cgroup/memory.max": f"{GIB // 8}\n",
}
V1 = {
    "proc/self/cgroup": "9:cpu,cpuacct:/ours\n5:memory:/host/path\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GIB // 2}\n",
}
UNBOUND = {
    "proc/self/cgroup": "0::/\n",
    "sys/fs/cgroup/memory.max": "max\n",
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(V2, GIB // 4, id="version 2, bound by a group above ours"),
        pytest.param(CONTAINER, GIB // 8, id="version 2, in a container"),
        pytest.param(V1, GIB // 2, id="version 1, in a container"),
        pytest.param(UNBOUND, MACHINE, id="no bound"),
        pytest.param({}, MACHINE, id="no Linux"),
    ],
)
def test_available_memory_is_the_least_of_machine_and_cgroups(
    tmp_path: Path, files: dict[str, str], expected: int
) -> None:
    assert available_memory(write(tmp_path, files)) == expected
