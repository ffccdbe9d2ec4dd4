"""A version that runs code is loaded only if this home has signed its manifest."""

import hashlib
import shutil
from pathlib import Path

import pytest

from registry.manifest import Environment
from registry.storage.signing import KEY
from registry.store import Registry
from telemetry.errors import UntrustedArtifact
from tests.support.models import described


def test_signature_is_that_of_the_home_and_the_manifest(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    registry = Registry(home)
    trusted = registry.add("m", described(b"one", trusted=True), b"one")
    registry.check_signature(trusted)
    assert (home / KEY).stat().st_mode & 0o777 == 0o600
    shutil.copytree(home / "models", other / "models")
    copied = Registry(other)
    with pytest.raises(UntrustedArtifact, match="models sign m:1"):
        copied.check_signature(trusted)
    copied.sign(trusted)
    copied.check_signature(trusted)


def test_signature_of_a_changed_manifest_is_wrong(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    registry.add("m", described(b"one"), b"one")
    path = tmp_path / "models" / "m" / "versions" / "1.json"
    path.write_text(path.read_text().replace('"trusted": false', '"trusted": true'))
    forged = Registry(tmp_path).resolve("m:1").manifest
    assert forged.trusted
    with pytest.raises(UntrustedArtifact):
        registry.check_signature(forged)


def test_signature_is_not_needed_where_no_code_runs(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    manifest = registry.add("m", described(b"one"), b"one")
    (tmp_path / "models" / "m" / "versions" / "1.signature").unlink()
    registry.check_signature(manifest)


def test_signature_is_checked_before_an_environment_is_made(tmp_path: Path) -> None:
    lock = b"package==1.0"
    environment = Environment(hashlib.sha256(lock).hexdigest(), ("package",), "3.11.7", 0)
    registry = Registry(tmp_path)
    manifest = registry.add("m", described(b"one", environment=environment), b"one", lock=lock)
    assert registry.lock(manifest) == lock
    (tmp_path / "models" / "m" / "versions" / "1.signature").unlink()
    with pytest.raises(UntrustedArtifact):
        registry.lock(manifest)
