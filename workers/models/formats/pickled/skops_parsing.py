"""Parses a skops file once, for the list of its types and for what it holds."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import msgspec

from telemetry.errors import ModelUnloadable
from workers.models.formats.pickled.skops_library import skops_library

MOST_UNPACKED = 2**28
"""Bytes that a file of any size may unpack to."""
MOST_RATIO = 100
"""Times its size that a file may unpack to beyond them. Arrays of models shrink to a tenth."""


class ParsedSkops(msgspec.Struct, frozen=True):
    """A skops file of which nothing has been built yet."""

    types: list[str]
    """The types that skops does not list as safe, sorted."""
    build: Callable[[], Any]
    """Build what the file holds; trusts ``types``."""


def parsed_skops(content: bytes) -> ParsedSkops:
    """Parse a file; raises what skops raises for content that is broken.

    Raises `ModelUnloadable` for one that would unpack to far more than a model.
    """
    _check_unpacked(content)
    skops = skops_library()
    reading = skops._persist  # noqa: SLF001 - its public functions parse the file once each
    if not hasattr(reading, "read_schema"):  # before skops 0.16, in environments of versions
        types = skops.get_untrusted_types(data=content)
        return ParsedSkops(types, lambda: skops.loads(content, trusted=types))
    archive = zipfile.ZipFile(io.BytesIO(content))  # the arrays are read while they are built
    schema, context = reading.read_schema(archive)
    tree = reading.get_tree(schema, load_context=context, trusted=None)
    return ParsedSkops(sorted(tree.get_unsafe_set()), tree.construct)


def _check_unpacked(content: bytes) -> None:
    # An entry that is longer than the archive says is not read to its end.
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > max(MOST_UNPACKED, MOST_RATIO * len(content)):
        raise ModelUnloadable(
            f"its {len(content):,} bytes unpack to {unpacked:,}, which is no model's"
        )
