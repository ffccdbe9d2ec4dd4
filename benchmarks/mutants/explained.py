"""The reasons why no test can notice some mutants, by script or module, and change."""

import tomllib
from pathlib import Path

FILE = Path(__file__).with_name("explained.toml")


def explained() -> dict[tuple[str, str], str]:
    """Reasons by the name of a script or of a module, and the change."""
    told: dict[str, dict[str, str]] = tomllib.loads(FILE.read_text())
    return {
        (where, change): reason
        for reason, changes in told.items()
        for change, where in changes.items()
    }
