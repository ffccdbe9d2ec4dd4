"""Wheels of tiny packages in a directory, so that tests install something without an index."""

import hashlib
import zipfile
from pathlib import Path

from workers.environments.lock import _origin


def tiny_wheel(directory: Path, version: str, name: str = "tinyscale") -> Path:
    """A wheel whose module has the constant ``FACTOR``, the first number of its version."""
    directory.mkdir(parents=True, exist_ok=True)
    path, info = directory / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", f"FACTOR = {version.partition('.')[0]}\n")
        told = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        wheel.writestr(f"{info}/METADATA", told)
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


def hashed(wheel: Path) -> str:
    """The line of a lock for a wheel."""
    name, version, *_ = wheel.name.split("-")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def locked(wheels: Path, line: str) -> bytes:
    """A lock of one wheel in a directory, without an index."""
    return f"{_origin()}\n--no-index\n--find-links {wheels}\n{line}\n".encode()
