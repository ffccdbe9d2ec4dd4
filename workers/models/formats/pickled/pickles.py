"""Loads skops, joblib and pickle files. The only module that unpickles, once a file is trusted."""

import io
import pickletools
import zipfile
from typing import Any

import joblib

from telemetry.errors import UntrustedArtifact
from workers.models.formats.model_format import LoadOptions
from workers.models.formats.pickled.harmless import unknown_types
from workers.models.formats.pickled.skops_parsing import parsed_skops
from workers.models.formats.pickled.sound_trees import refuse_unsound_trees

_COMPRESSED = (
    *(b"\x1f\x8b", b"x\x01", b"x\x5e", b"x\x9c", b"x\xda", b"BZh"),
    *(b"\xfd7zXZ\x00", b"\x5d\x00\x00", b"\x04\x22\x4d\x18"),
)
"""First bytes of the compressions that joblib reads."""


def is_skops(content: bytes) -> bool:
    """Whether content is a zip archive with the schema of skops."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "schema.json" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return False


def is_joblib(content: bytes) -> bool:
    """Whether content is compressed as by joblib, or a pickle with arrays of joblib."""
    return content.startswith(_COMPRESSED) or (is_pickle(content) and b"joblib." in content)


def is_pickle(content: bytes) -> bool:
    """Whether content starts as a pickle of protocol 2 or later, or parses as an older one."""
    if content[:1] == b"\x80":
        return True
    try:
        for _ in pickletools.genops(content):
            pass
    except Exception:  # noqa: BLE001 - the parser raises anything for other files
        return False
    return True


def load_pickle(content: bytes, _: LoadOptions) -> Any:
    """Unpickle a trusted file; joblib reads plain pickles as well."""
    return joblib.load(io.BytesIO(content))


def load_skops(content: bytes, options: LoadOptions) -> Any:
    """Load a skops file; raises `UntrustedArtifact` if it needs trust and has none.

    Raises `ModelUnloadable` for trees that no fit could have made, unless the file is trusted.
    """
    parsed = parsed_skops(content)
    unknown = unknown_types(parsed.types)
    if unknown and not options.trust:
        raise UntrustedArtifact(
            f"it contains types that are not known to be harmless: {', '.join(unknown)}; "
            "register it with --trust if you trust its origin"
        )
    model = parsed.build()
    if not options.trust:
        refuse_unsound_trees(model)
    return model
