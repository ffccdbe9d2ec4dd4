"""Requirements of a version, as given by ``--requirements``: a file, or a requirement as text."""

import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version

import msgspec
from packaging.requirements import InvalidRequirement, Requirement

from telemetry.errors import Invalid


class Requirements(msgspec.Struct, frozen=True):
    """The requirements of a version."""

    packages: tuple[str, ...]
    """Requirements, such as ``scikit-learn==1.5.2``, in the order in which they were given."""
    options: tuple[str, ...] = ()
    """Lines that say where packages are found, such as ``--find-links /srv/wheels``."""


_OPTIONS = ("--index-url", "--extra-index-url", "--find-links", "--no-index")
_PATHS = ("--find-links",)


def read_requirements(given: Iterable[str]) -> Requirements:
    """Read files and requirements.

    Raises `Invalid` for a line that cannot be locked with hashes, such as an editable directory,
    and for an address with a password, since the lock is kept with the version.
    """
    packages: list[str] = []
    options: list[str] = []
    for each in given:
        path = Path(each)
        is_file = path.suffix == ".txt" or (path.is_file() and path.suffix != ".whl")
        for line in _lines(path) if is_file else [each.strip()]:
            _check_addresses(line)
            if line.startswith("-"):
                options.append(_checked_option(line, path.parent if is_file else Path.cwd()))
            elif not _is_python(checked := _checked(line)):
                packages.append(checked)
    return Requirements(tuple(dict.fromkeys(packages)), tuple(dict.fromkeys(options)))


def are_met_here(wanted: Requirements) -> bool:
    """Whether the packages of this environment meet all requirements.

    A requirement of a file or of extras counts as not met.
    """
    return all(_is_met(Requirement(each)) for each in wanted.packages)


def _is_met(wanted: Requirement) -> bool:
    if wanted.marker is not None and not wanted.marker.evaluate():
        return True
    if wanted.url or wanted.extras:
        return False
    try:
        return wanted.specifier.contains(version(wanted.name), prereleases=True)
    except PackageNotFoundError:
        return False


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} cannot be read: {error}") from error
    joined = text.replace("\\\n", " ")
    bare = (f" {line}".partition(" #")[0].strip() for line in joined.splitlines())
    return [line for line in bare if line]


def _checked(line: str) -> str:
    if line.endswith(".whl") and Path(line).is_file():
        path = Path(line).absolute()
        return f"{path.name.partition('-')[0]} @ {path.as_uri()}"
    bare = line.partition(" --hash")[0].strip()  # of a lock; hashes are resolved anew
    try:
        return str(Requirement(bare))
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise Invalid(
            f"{line!r} is not a requirement: {reason}; name a package, or give a wheel or, with "
            "--code, your own code"
        ) from error


def _is_python(checked: str) -> bool:
    """Whether this asks for the Python that is here; raises `Invalid` if it asks for another."""
    wanted = Requirement(checked)
    if wanted.name.lower() != "python":
        return False
    if not wanted.specifier.contains(python_version()):
        raise Invalid(
            f"{wanted}: environments have the Python of the shared one, {python_version()}; "
            "start the stack with that Python, or convert the model, for instance to ONNX"
        )
    return True


def _check_addresses(line: str) -> None:
    """Raise `Invalid`, without the line, if an address in it has a user or a password."""
    if re.search(r"://[^/?#\s]*@", line):
        named = re.split("[ =@<>~!:;]", line, maxsplit=1)[0]
        raise Invalid(
            f"{named}: the address has a user, and would be kept with the version; "
            "set UV_INDEX_URL or .netrc where environments are made"
        )


def _checked_option(line: str, base: Path) -> str:
    name, value = [*re.split("[ =]", line, maxsplit=1), ""][:2]
    value = value.strip()
    if name not in _OPTIONS:
        raise Invalid(f"{line!r} cannot be kept with a version; of options, {', '.join(_OPTIONS)}")
    if name in _PATHS and "://" not in value:
        value = str((base / value).absolute())
    return f"{name} {value}".strip()
