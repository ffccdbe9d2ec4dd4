"""Reads the code that ``--code`` names: a package, a directory of modules, a module or a wheel."""

from pathlib import Path

from telemetry.errors import ArtifactMissing, ModelUnloadable
from workers.models.formats.archive import ArchiveFiles, files_below, unpacked

_NATIVE = (".so", ".pyd", ".dylib")


def code_files(path: Path) -> ArchiveFiles:
    """The files that have to be on the search path, so that the code can be imported.

    A directory with ``__init__.py`` is a package; the modules and packages in any other directory
    are the code. Runs nothing of it.

    Raises `ArtifactMissing` if there is nothing of this name, and `ModelUnloadable` if it holds no
    module or cannot be kept.
    """
    what = str(path)
    if path.is_dir():
        files = _of_directory(path, what)
    elif path.suffix == ".py":
        files = {path.name: _read(path)}
    elif path.suffix == ".whl":
        files = _of_wheel(path, what)
    elif not path.exists():
        raise ArtifactMissing(f"{what} cannot be read: there is no such file or directory")
    else:
        raise ModelUnloadable(f"{what} is not code: give a package, a file .py, or a wheel")
    if not any(map(_is_importable, files)):
        raise ModelUnloadable(
            f"{what} has no module that could be imported: give the directory of the package"
        )
    return files


def _of_directory(path: Path, what: str) -> ArchiveFiles:
    files = files_below(path, what)
    if "__init__.py" not in files:
        return files
    top = path.resolve().name
    return {f"{top}/{name}": content for name, content in files.items()}


def _of_wheel(path: Path, what: str) -> ArchiveFiles:
    files = unpacked(_read(path))
    native = next((name for name in files if name.endswith(_NATIVE)), None)
    if native:
        raise ModelUnloadable(
            f"{what} has compiled code, {native}, which versions cannot keep apart: "
            f"give it with --requirements {path}"
        )
    if any(".data/" in name for name in files):
        raise ModelUnloadable(
            f"{what} has files that must be installed: give it with --requirements {path}"
        )
    return files


def _is_importable(name: str) -> bool:
    top, _, rest = name.partition("/")
    return (top.endswith(".py") and top[:-3].isidentifier()) or (
        top.isidentifier() and rest == "__init__.py"
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactMissing(f"{path} cannot be read: {error.strerror}") from error
