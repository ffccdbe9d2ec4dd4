"""The paths of the registry's files."""

from pathlib import Path


class Paths:
    """Paths of files below the directory of the registry."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def artifact(self, sha256: str) -> Path:
        """The artifact with this hash."""
        return self._root / "artifacts" / sha256

    def version(self, name: str, number: int) -> Path:
        """The manifest of a version."""
        return self._of_version(name, number, "json")

    def removed(self, name: str, number: int) -> Path:
        """The manifest of a version that was removed."""
        return self._of_version(name, number, "removed")

    def state(self, name: str, number: int) -> Path:
        """The state of a version."""
        return self._of_version(name, number, "state")

    def decision(self, name: str, number: int) -> Path:
        """The decision on a version's registration."""
        return self._of_version(name, number, "registration")

    def signature(self, name: str, number: int) -> Path:
        """The signature of a version's manifest."""
        return self._of_version(name, number, "signature")

    def golden(self, name: str, number: int) -> Path:
        """The golden rows of a version."""
        return self._of_version(name, number, "golden")

    def baseline(self, name: str, number: int) -> Path:
        """The baseline of a version."""
        return self._of_version(name, number, "baseline")

    def lock(self, name: str, number: int) -> Path:
        """The lock of a version's environment."""
        return self._of_version(name, number, "lock")

    def aliases(self, name: str) -> Path:
        """The aliases of a model."""
        return self._root / name / "aliases.json"

    def deployments(self, name: str) -> Path:
        """The deployments of a model."""
        return self._root / name / "deployments.json"

    def settings(self, name: str) -> Path:
        """The settings of a model."""
        return self._root / name / "settings.json"

    def history(self, name: str) -> Path:
        """The history of a model."""
        return self._root / name / "history.ndjson"

    def rollouts(self, name: str) -> Path:
        """The rollouts of a model."""
        return self._root / name / "rollouts.json"

    def highest(self, name: str) -> Path:
        """The highest version number that was given out."""
        return self._root / name / "highest"

    def _of_version(self, name: str, number: int, suffix: str) -> Path:
        return self._root / name / "versions" / f"{number}.{suffix}"
