"""An engine that compares a version's golden rows before the version answers for the first time."""

from registry.manifest import Manifest
from registry.readiness import GoldenRows
from registry.store import Registry
from workers.models.engine import Answer, Engine
from workers.models.golden import check_golden_rows
from workers.models.resolving import reading_registry
from workers.models.tabular.table import Input
from workers.protocol import LoadCost


class GoldenCheckedEngine:
    """Wraps an engine; processes that are forked from this one know what it has compared."""

    def __init__(self, engine: Engine, registry: Registry) -> None:
        self._engine, self._registry = engine, registry
        self._compared: set[tuple[str, str]] = set()

    def hold(self, manifest: Manifest) -> None:
        """See `Engine`. Does not compare anything, because that would call the model."""
        self._engine.hold(manifest)

    def drop(self, reference: str) -> bool:
        """See `Engine`."""
        return self._engine.drop(reference)

    def held(self) -> dict[str, LoadCost]:
        """See `Engine`."""
        return self._engine.held()

    def runtime_of(self, manifest: Manifest) -> str:
        """See `Engine`."""
        return self._engine.runtime_of(manifest)

    def answer(self, manifest: Manifest, method: str, given: Input) -> Answer:
        """See `Engine`; raises `ModelUnloadable` if the golden rows get other answers here."""
        if (manifest.reference, manifest.sha256) not in self._compared:
            self.compare(manifest)
        return self._engine.answer(manifest, method, given)

    def compare(self, manifest: Manifest) -> None:
        """Compare the golden rows now; raises what `answer` raises."""
        if golden := self.golden_rows(manifest):
            check_golden_rows(self._engine, manifest, golden)
        self.trust(manifest)

    def golden_rows(self, manifest: Manifest) -> GoldenRows | None:
        """The golden rows of a version, if it has any; raises `RegistryUnavailable`."""
        with reading_registry():
            return self._registry.golden_rows(manifest)

    def trust(self, manifest: Manifest) -> None:
        """Note that the golden rows were compared, for instance in a process that was forked."""
        self._compared.add((manifest.reference, manifest.sha256))
