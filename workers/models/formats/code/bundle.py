"""A model file together with the code that it needs: one artifact with one hash."""

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import msgspec

from telemetry.errors import UntrustedArtifact
from workers.models.formats.archive import ArchiveFiles, names_in, packed, unpacked
from workers.models.formats.code.modules import VersionModules
from workers.models.formats.unpacking import on_disk

Imported = Callable[[], AbstractContextManager[None]]
"""Makes a version's own modules importable inside the block that it opens."""
_MODEL = "predictq-model"
"""The file in an archive that is the model; an archive with this name is a bundle."""
_CODE = "code/"


class Bundle(msgspec.Struct, frozen=True):
    """The contents of an artifact."""

    model: bytes
    """Content of the model file."""
    code: ArchiveFiles = {}
    """The modules beside it; none if it was registered without."""

    def imported(self, *, trust: bool, what: str) -> Imported:
        """Put the code on disk, and return what makes it importable.

        Raises `UntrustedArtifact` if there is code without ``trust``.
        """
        if not self.code:
            return nullcontext
        if not trust:
            raise UntrustedArtifact(
                f"{what} has code beside the model, which runs when it is loaded; "
                "register it with --trust if you trust its origin"
            )
        modules = VersionModules(on_disk(self.code))
        importlib.invalidate_caches()  # the directory may be younger than what Python knows of it
        return modules.imported


def bundled(model: bytes, code: ArchiveFiles) -> bytes:
    """The bytes of an artifact: an archive, or the model alone if there is no code."""
    if not code:
        return model
    return packed({_MODEL: model, **{_CODE + name: content for name, content in code.items()}})


def opened_bundle(content: bytes) -> Bundle:
    """The contents of an artifact's bytes; raises `ModelUnloadable` if an archive is broken."""
    if not (content.startswith(b"PK") and _MODEL in names_in(content)):
        return Bundle(content)
    files = unpacked(content)
    code = {name.removeprefix(_CODE): files[name] for name in files if name.startswith(_CODE)}
    return Bundle(files[_MODEL], code)
