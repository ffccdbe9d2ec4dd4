"""Parses a skops file once, for the list of its types and for what it holds."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import msgspec

from workers.models.formats.pickled.skops_library import skops_library


class ParsedSkops(msgspec.Struct, frozen=True):
    """A skops file of which nothing has been built yet."""

    types: list[str]
    """The types that skops does not list as safe, sorted."""
    build: Callable[[], Any]
    """Build what the file holds; trusts ``types``."""


def parsed_skops(content: bytes) -> ParsedSkops:
    """Parse a file; raises what skops raises for content that is broken."""
    skops = skops_library()
    reading = skops._persist  # noqa: SLF001 - its public functions parse the file once each
    if not hasattr(reading, "read_schema"):  # before skops 0.16, in environments of versions
        types = skops.get_untrusted_types(data=content)
        return ParsedSkops(types, lambda: skops.loads(content, trusted=types))
    archive = zipfile.ZipFile(io.BytesIO(content))  # the arrays are read while they are built
    schema, context = reading.read_schema(archive)
    tree = reading.get_tree(schema, load_context=context, trusted=None)
    return ParsedSkops(sorted(tree.get_unsafe_set()), tree.construct)
