"""Packages that cannot be imported with any NumPy, and do not say so."""

from packaging.requirements import Requirement
from packaging.version import Version

from workers.environments.requirements import Requirements

NUMPY_1 = "numpy<2", "pyarrow<22"
"""Bounds of an environment from before NumPy 2; later releases of pyarrow need that."""
_FIRST_FOR_2 = {"numpy": Version("2.0"), "scikit-learn": Version("1.4.2")}
"""Package → its first release for NumPy 2."""
_ANY_LATER = "99999"


def numpy_bounds(wanted: Requirements) -> list[str]:
    """The bounds that the requirements lack: `NUMPY_1`, or none."""
    return [*NUMPY_1] if any(_is_older(Requirement(each)) for each in wanted.packages) else []


def _is_older(wanted: Requirement) -> bool:
    """Whether only releases from before NumPy 2 meet a requirement."""
    first = _FIRST_FOR_2.get(wanted.name.lower().replace("_", "-"))
    if first is None or not wanted.specifier:
        return False
    named = [Version(each.version.removesuffix(".*")) for each in wanted.specifier]
    meets_later = first in wanted.specifier or _ANY_LATER in wanted.specifier
    return max(named) <= first and not meets_later
