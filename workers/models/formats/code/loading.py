"""Makes a model of an archive of code: imports its module, and makes its class once."""

from collections.abc import Callable
from typing import Any

import msgspec

from telemetry.errors import ModelUnloadable
from workers.models.formats.archive import unpacked
from workers.models.formats.code.modules import VersionModules
from workers.models.formats.code.packing import ENTRY, CodeEntry
from workers.models.formats.model_format import LoadOptions
from workers.models.formats.unpacking import on_disk
from workers.models.signature.methods import method_candidates


def load_code(content: bytes, _: LoadOptions) -> Any:
    """Import the code, which runs it, and make what it names a model.

    Raises `ModelUnloadable` if the code lacks it, and what the code raises.
    """
    files = unpacked(content)
    entry = msgspec.json.decode(files.pop(ENTRY), type=CodeEntry)
    modules = VersionModules(on_disk(files))
    module = modules.found(entry.module)
    if not hasattr(module, entry.name):
        raise ModelUnloadable(f"the module {entry.module} has no {entry.name!r}")
    named = getattr(module, entry.name)
    with modules.imported():
        made = named() if isinstance(named, type) else named
    methods = method_candidates(made)
    if not methods and not callable(made):
        kind = type(made).__name__
        raise ModelUnloadable(f"{entry.name} is a {kind}, but must be a function or a model")
    return _model(made, entry, modules, methods or ["predict"], is_function=not methods)


class CodeModel:
    """Calls a function or the methods of an object, in its own modules."""

    def __init__(self, made: Any, modules: VersionModules) -> None:
        self._made, self._modules = made, modules

    def __getattr__(self, name: str) -> Any:
        """Attributes of the object, such as ``classes_``."""
        if name == "_made":  # not there yet while a copy is made
            raise AttributeError(name)
        return getattr(self._made, name)


def _model(
    made: Any, entry: CodeEntry, modules: VersionModules, methods: list[str], *, is_function: bool
) -> CodeModel:
    """A model of a class with the name of the code, as it is shown by that name."""
    called = {name: _calling(None if is_function else name) for name in methods}
    kind = type(entry.name, (CodeModel,), {**called, "__module__": entry.module})
    model: CodeModel = kind(made, modules)
    return model


def _calling(method: str | None) -> Callable[[CodeModel, Any], Any]:
    def call(self: CodeModel, given: Any) -> Any:
        with self._modules.imported():
            return (getattr(self._made, method) if method else self._made)(given)

    return call
