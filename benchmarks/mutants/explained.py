"""The reasons why no test can notice some mutants of the scripts, by script and change."""

import tomllib
from pathlib import Path

FILE = Path(__file__).with_name("explained.toml")


def explained() -> dict[tuple[str, str], str]:
    """Reasons by the name of a script and the change."""
    told: dict[str, dict[str, str]] = tomllib.loads(FILE.read_text())
    return {
        (script, change): reason
        for reason, changes in told.items()
        for change, script in changes.items()
    }
