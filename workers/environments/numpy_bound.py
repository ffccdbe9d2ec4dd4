"""Releases from before NumPy 2, which do not say that they cannot be imported with it."""

from packaging.requirements import Requirement
from packaging.version import Version

from workers.environments.requirements import Requirements

NUMPY_1 = "numpy<2"
_FIRST_FOR_2 = {"scikit-learn": Version("1.4.2")}
"""Package → its first release that was built for NumPy 2."""
_ANY_LATER = "99999"


def numpy_bounds(wanted: Requirements) -> list[str]:
    """The bound that the requirements lack: ``numpy<2``, or nothing."""
    return [NUMPY_1] if any(_is_older(Requirement(each)) for each in wanted.packages) else []


def _is_older(wanted: Requirement) -> bool:
    """Whether only releases from before NumPy 2 meet a requirement."""
    first = _FIRST_FOR_2.get(wanted.name.lower().replace("_", "-"))
    if first is None or not wanted.specifier:
        return False
    named = [Version(each.version.removesuffix(".*")) for each in wanted.specifier]
    return max(named) <= first and not any(map(wanted.specifier.contains, (first, _ANY_LATER)))
