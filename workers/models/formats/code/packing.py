"""Packs the code that a reference such as `rules.py:score` means. Runs nothing of it."""

import os
import re
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import msgspec

from telemetry.errors import ArtifactMissing, ModelUnloadable
from workers.models.formats.archive import ArchiveFiles, files_below, names_in, packed

ENTRY = "predictq-code.json"
"""The file in an archive of code that says what to call."""
_REFERENCE = re.compile(r"(?P<source>[^:]+):(?P<name>[A-Za-z_]\w*)")


class CodeEntry(msgspec.Struct, frozen=True):
    """The function or class to call."""

    module: str
    """Its dotted name."""
    name: str
    """The function or class in it."""


class CodeReference(msgspec.Struct, frozen=True):
    """A function or class, named by `module:name` or `file.py:name`."""

    source: str
    name: str


def code_reference(text: str) -> CodeReference | None:
    """The reference that a text is; None if it is none."""
    found = _REFERENCE.fullmatch(text)
    return CodeReference(found["source"], found["name"]) if found else None


def is_code(content: bytes) -> bool:
    """Whether content is an archive of code."""
    return content.startswith(b"PK") and ENTRY in names_in(content)


def packed_code(reference: CodeReference) -> bytes:
    """The archive of the file that a reference names, or of its module's whole package.

    Modules are searched for in the current directory first. Raises `ArtifactMissing` if there is no
    such file or module, and `ModelUnloadable` if it cannot be kept.
    """
    if reference.source.endswith(".py"):
        return _packed(reference, *_of_file(Path(reference.source)))
    return _packed(reference, reference.source, _of_module(reference.source))


def _packed(reference: CodeReference, module: str, files: ArchiveFiles) -> bytes:
    entry = msgspec.json.encode(CodeEntry(module, reference.name))
    return packed(files | {ENTRY: entry})


def _of_file(path: Path) -> tuple[str, ArchiveFiles]:
    if not path.stem.isidentifier():
        raise ModelUnloadable(f"{path} cannot be imported: its name must be one of a module")
    try:
        return path.stem, {path.name: path.read_bytes()}
    except FileNotFoundError as error:
        raise ArtifactMissing(f"{path} cannot be read: {error.strerror}") from error


def _of_module(module: str) -> ArchiveFiles:
    if not all(part.isidentifier() for part in module.split(".")):
        raise ArtifactMissing(
            f"{module} cannot be read: there is no such file, and it is no module"
        )
    top = module.partition(".")[0]
    # Only the top-level name is searched for: finding a submodule would import its packages.
    found = PathFinder.find_spec(top, [os.getcwd(), *sys.path])
    if found is None or found.origin is None or not found.origin.endswith(".py"):
        raise ArtifactMissing(f"there is no module {top!r} in this directory or the environment")
    origin = Path(found.origin)
    if not found.submodule_search_locations:
        return {origin.name: origin.read_bytes()}
    package = files_below(origin.parent, f"the package {top}")
    return {f"{top}/{name}": content for name, content in package.items()}
