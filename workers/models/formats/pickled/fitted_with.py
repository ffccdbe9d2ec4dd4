"""Reads from a file, without loading it, which scikit-learn saved the estimators in it.

Each estimator has the version in its state, as `_sklearn_version`. A joblib file has raw arrays
between the opcodes of its pickle, so it cannot be parsed as opcodes; the version is searched in the
bytes instead. A wrong version in a file changes messages only, never what is loaded.
"""

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from importlib.metadata import version
from typing import IO, Any

SCANNED_BYTES = 2**28
"""How much of the content, decompressed, is searched."""
_NUMBER = rb"(\d{1,4}(?:\.\d{1,4}){1,3}(?:\.?(?:dev|rc|post)\d{1,4})?)"
_IN_PICKLE = re.compile(
    # A short or long text, as protocols 2 to 5 write it, or a line of protocol 0; an opcode that
    # memoizes the key may follow it.
    rb"_sklearn_version(?:\x94|q.|r.{4}|\np\d+\n)?(?:\x8c.|X.{4}|V)" + _NUMBER,
    re.DOTALL,
)
_IN_SKOPS = re.compile(rb'"_sklearn_version": \{[^{}]*"content": "\\"' + _NUMBER)
_BROKEN = (
    *(OSError, EOFError, ValueError, KeyError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
_OPENERS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"\x5d\x00\x00": lzma.LZMAFile,
}


def fitted_with(content: bytes) -> str:
    """The version of scikit-learn that saved a skops, joblib or pickle file; empty if unknown."""
    try:
        pattern = _IN_SKOPS if content.startswith(b"PK") else _IN_PICKLE
        found = pattern.search(_readable(content))
    except _BROKEN:
        return ""  # of a broken file, which its loader refuses
    return found[1].decode() if found else ""


def installed_scikit_learn() -> str:
    """The version of scikit-learn in this environment."""
    return version("scikit-learn")


def _readable(content: bytes) -> bytes:
    """The bytes in which the version is written as text."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("schema.json") as file:
            return file.read(SCANNED_BYTES)
    if content[:1] == b"x":
        return zlib.decompressobj().decompress(content, SCANNED_BYTES)
    for start, opened in _OPENERS.items():
        if content.startswith(start):
            found: bytes = opened(io.BytesIO(content)).read(SCANNED_BYTES)
            return found
    return content
