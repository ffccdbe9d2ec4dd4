"""Keys in files: the local key, and those of ``PREDICTQ_KEYS_FILE``."""

import logging
from hmac import compare_digest
from pathlib import Path
from time import monotonic, time

import msgspec

from tasks.callers.caller import Caller
from tasks.callers.scopes import SCOPES
from tasks.callers.tokens import read_token
from tasks.key_files import LOCAL_ID, read_or_make_local_key
from tasks.ledger.api_keys.api_key import ApiKey, Secret, decode_key
from telemetry.errors import KeyInvalid

log = logging.getLogger(__name__)
FILE_LOOK_SECONDS = 5.0
"""Seconds between two looks whether the file of keys has changed."""


def local_key(home: Path) -> bytes:
    """Read or create the local key; empty if that fails, as the API must serve without it too."""
    try:
        return read_or_make_local_key(home)
    except OSError as error:
        log.warning(
            "the local key cannot be read, so every request that needs it is refused: %s", error
        )
        return b""


def read_keys(path: Path) -> dict[str, ApiKey]:
    """The keys in a file, one a line as JSON; raises `OSError`, or `ValueError` with the line."""
    found = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.strip():
            try:
                key = decode_key(line)
            except msgspec.DecodeError as error:
                raise ValueError(f"{path}, line {number}: {error}") from None
            found[key.id] = key
    return found


class StaticKeys:
    """Keys that need no Redis."""

    def __init__(self, home: Path, path: Path | None) -> None:
        """``path``: the file of keys. Raises `OSError` or `ValueError` if it cannot be read."""
        text = local_key(home)
        token = read_token(text.decode("ascii", "replace"))
        self._bare = b"" if token else text
        """A local key from before local keys were tokens."""
        self._owner = ApiKey(
            id=LOCAL_ID,
            name="local key",
            scopes=SCOPES,
            secrets=(Secret(token.hash),) if token else (),
            created_at=time(),
        )
        self._path, self._looked, self._stamp = path, monotonic(), _stamp(path)
        self._keys = read_keys(path) if path else {}

    def find(self, key_id: str) -> ApiKey | None:
        """The key of an id."""
        if key_id == self._owner.id:
            return self._owner
        if self._path is not None and monotonic() - self._looked > FILE_LOOK_SECONDS:
            self._look(self._path)
        return self._keys.get(key_id)

    def owner(self, text: str) -> Caller:
        """The caller with a local key that is no token; raises `KeyInvalid`."""
        if not self._bare or not compare_digest(text.encode("utf-8", "replace"), self._bare):
            raise KeyInvalid(
                "the key is misspelt or incomplete: it does not have the form of a key"
            )
        return self._owner.caller

    def _look(self, path: Path) -> None:
        self._looked = monotonic()
        if (stamp := _stamp(path)) == self._stamp:
            return
        try:
            self._keys, self._stamp = read_keys(path), stamp
        except (OSError, ValueError) as error:
            log.error("the file of keys cannot be read; the keys before stay: %s", error)


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns) if found else None
