"""Prints models and versions."""

from collections.abc import Iterable

from cli.text_table import text_table
from registry.manifest import Column, Description, Manifest, Optimization
from registry.readiness import Readiness
from registry.splits import Meaning, meaning_text
from registry.store import Registry

_HEADER = ("NAME", "LATEST", "VERSIONS", "ALIASES", "ESTIMATOR")
_CATEGORIES = 8
"""How many categories of a column are shown."""


def models_table(registry: Registry) -> str:
    """A table with one line per model."""
    return text_table(_HEADER, (_line(registry, name) for name in registry.models()))


def version_text(registry: Registry, manifest: Manifest) -> str:
    """All facts about one version, and the list of the others."""
    name, signature = manifest.name, manifest.signature
    facts = [
        ("model", f"{name}:{manifest.version}"),
        ("versions", _versions(registry.versions(name))),
        ("aliases", _aliases(registry.aliases(name)) or "none"),
        ("status", _status(registry.readiness(manifest))),
        ("estimator", manifest.estimator),
        ("methods", ", ".join(signature.methods)),
        ("classes", _classes(manifest)),
        ("features", str(len(signature.columns))),
        ("sha256", manifest.sha256),
        ("artifact", f"{manifest.format}, {manifest.size:,} bytes"),
        ("environment", _environment(manifest)),
        ("python", manifest.libraries.get("python", "unknown")),
        ("trusted", "yes" if manifest.trusted else "no"),
        ("may wait", _seconds(manifest.max_queue_seconds)),
        ("may compute", _seconds(manifest.timeout_seconds)),
        ("created", manifest.created_at),
    ]
    times = registry.readiness(manifest).call_ms.items()
    facts += [(f"call of {rows}", f"{ms:g} ms at registration") for rows, ms in times]
    if manifest.optimization is not None:
        facts += [("optimized", optimization_text(manifest.optimization))]
        timed = manifest.optimization.times.items()
        facts += [(f"times {runtime}", _microseconds(times)) for runtime, times in timed]
    facts += [(f"metadata {key}", value) for key, value in manifest.metadata.items()]
    facts += [(f"declared {key}", value) for key, value in manifest.declared.items()]
    facts += [("warning", text) for text in [version_warning(manifest)] if text]
    facts += [(f"library {key}", value) for key, value in manifest.libraries.items()]
    facts += [(f"column {column.name}", _takes(column)) for column in signature.columns]
    width = max(len(label) for label, _ in facts)
    return "\n".join(f"{label:{width}}  {value}" for label, value in facts)


def version_warning(described: Description) -> str:
    """One line if another version of scikit-learn saved the model; empty otherwise."""
    saved = described.declared.get("scikit-learn")
    here = described.libraries.get("scikit-learn")
    if saved in (None, here):
        return ""
    return (
        f"saved with scikit-learn {saved}, registered with {here}: answers may differ; "
        f"--requirements scikit-learn=={saved} serves it with its own"
    )


def optimization_text(found: Optimization) -> str:
    """The runtimes that compute the calls of a version for which another runtime was tried."""
    if not found.runtime:
        return f"not optimized: {found.reason}"
    return f"{found.runtime} computes calls of up to {found.most_rows:,} rows"


def _microseconds(times: dict[str, float]) -> str:
    return ", ".join(f"{rows} rows {found:,.1f} µs" for rows, found in times.items())


def _classes(manifest: Manifest) -> str:
    shown = ", ".join(map(str, manifest.signature.classes or ())) or "none"
    numbered = manifest.signature.classes and manifest.format in ("xgboost", "lightgbm")
    return (
        f"{shown} (numbered; --classes names them)" if numbered and not manifest.labels else shown
    )


def _environment(manifest: Manifest) -> str:
    environment = manifest.environment
    if environment is None:
        return "shared"
    requirements = ", ".join(environment.requirements)
    return f"{requirements} ({environment.size:,} bytes, lock {environment.lock[:12]})"


def _line(registry: Registry, name: str) -> tuple[str, ...]:
    versions = registry.versions(name)
    aliases = _aliases(registry.aliases(name)) or "-"
    estimator = versions[-1].estimator.rpartition(".")[2]
    return name, str(registry.latest(name) or "-"), _versions(versions), aliases, estimator


def _versions(manifests: Iterable[Manifest]) -> str:
    return ",".join(str(manifest.version) for manifest in manifests)


def _status(state: Readiness) -> str:
    return state.status + (f": {state.reason}" if state.reason else "")


def _aliases(aliases: dict[str, Meaning]) -> str:
    return ",".join(f"{alias}={_meaning(meaning)}" for alias, meaning in aliases.items())


def _meaning(meaning: Meaning) -> str:
    text = meaning_text(meaning)
    return text if isinstance(meaning, int) else f"({text})"


def _seconds(bound: float | None) -> str:
    return "as long as any" if bound is None else f"{bound:g} s"


def _takes(column: Column) -> str:
    if column.unused:
        return "unused: anything, or absent"
    if column.type == "any" and not column.dtype:
        return "unknown - give --sample"
    kind: str = column.type
    if column.dtype and column.dtype != "category":
        kind += f" ({column.dtype})"
    also = [", null" * column.nullable, ", infinity" * column.infinite, _range(column)]
    return kind + "".join(also)


def _range(column: Column) -> str:
    if column.categories and column.type == "category":
        known = ", ".join(map(repr, column.categories[:_CATEGORIES]))
        more = ", …" if len(column.categories) > _CATEGORIES else ""
        return f", {known}{more}{', in order' if column.ordered else ''}"
    return "" if column.least is None else f", {column.least} to {column.greatest}"
