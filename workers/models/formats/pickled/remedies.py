"""Remedies for files that fail to load, by the usual causes."""

import re
import sys

from workers.models.formats.model_format import ModelFormat
from workers.models.formats.pickled.fitted_with import fitted_with, installed_scikit_learn

_ABSENT = re.compile(
    r"Can't get attribute '(?P<name>.+?)' on <module '(?P<module>.+?)'"
    r"|module '(?P<holder>.+?)' has no attribute '(?P<held>.+?)'"
)
_COMPILED = ("_loss",)
"""Modules of scikit-learn that name themselves as if they were none of its packages."""
_SHOWN = 300


def remedy(error: BaseException, content: bytes, model_format: ModelFormat) -> str:
    """The cause of an error and its remedy, in a few sentences; empty if the cause is unknown."""
    if missing := _missing_module(error):
        return _of_module(missing)
    if model_format.runtime:
        return ""
    found = _ABSENT.search(str(error))
    if found and not (module := found["module"] or found["holder"]).startswith("sklearn"):
        return _of_attribute(found["name"] or found["held"], module)
    return _of_version(error, content)


def other_version(saved: str) -> str:
    """The version of scikit-learn that saved a file; empty if it is the installed one."""
    return "" if saved == installed_scikit_learn() else saved


def anew(saved: str) -> str:
    """The remedy if another version of scikit-learn saved a model."""
    here = installed_scikit_learn()
    return (
        f"it was saved with scikit-learn {saved}, and {here} is installed here: register it with "
        f"--requirements scikit-learn=={saved}, or fit it anew with {here}"
    )


def _missing_module(error: BaseException) -> str:
    """The module that is not installed; empty if it is of scikit-learn, where versions move it."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    return "" if name is None or name.startswith("sklearn") or name in _COMPILED else name


def _of_attribute(name: str, module: str) -> str:
    # A program that runs by `python -m` has its own name in this message.
    program = getattr(sys.modules["__main__"], "__spec__", None)
    if module in ("__main__", getattr(program, "name", None)):
        return (
            f"it holds {name} of __main__, the script or notebook that saved it: move {name} into "
            "a module, save the model again, and give the module with --code"
        )
    return (
        f"it holds {name} of the module {module}, which has no {name} in this environment: give "
        "the module that has it with --code"
    )


def _of_module(name: str) -> str:
    return (
        f"it needs the module {name!r}, which is not installed here: give your own code with "
        "--code, or name the package that has it with --requirements"
    )


def _of_version(error: BaseException, content: bytes) -> str:
    saved = other_version(fitted_with(content))
    reason = f"{type(error).__name__}: {error}".splitlines()[0][:_SHOWN]
    return f"{anew(saved)} ({reason})" if saved else ""
