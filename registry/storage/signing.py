"""Signatures of manifests: workers run code in an artifact only if this deployment allowed it.

The key is in the home and not in the registry, so that write access to the registry's files is not
enough to have code run.
"""

import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

import msgspec

from registry.manifest import Manifest
from registry.storage.files import remove_file, write_file

KEY = "registry.key"
"""File name in the home; readable by its owner only."""


def manifest_signature(home: Path, manifest: Manifest) -> bytes:
    """The signature of a manifest with the key of a home, which is made on first use."""
    return hmac.digest(_key(home), msgspec.json.encode(manifest), "sha256").hex().encode()


def is_signed(home: Path, manifest: Manifest, signature: bytes | None) -> bool:
    """Whether a signature of a manifest was made with the key of a home."""
    return signature is not None and hmac.compare_digest(
        signature, manifest_signature(home, manifest)
    )


def _key(home: Path) -> bytes:
    path = home / KEY
    if not path.exists():
        fresh = home / f".{KEY}.{secrets.token_hex(4)}"
        write_file(fresh, secrets.token_bytes(32), mode=0o600)
        with suppress(FileExistsError):  # another process was first: its key counts
            os.link(fresh, path)
        remove_file(fresh)
    return path.read_bytes()
