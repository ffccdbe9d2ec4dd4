"""The `predictq models export` command: a folder that answers as a version without predictq."""

from pathlib import Path

import click
import msgspec

from cli import find_stack
from cli.models.exporting.loader import LOADING, loader, readme
from cli.models.exporting.onnx import write_onnx
from registry.manifest import Manifest
from registry.readiness import GoldenRows
from registry.store import Registry
from telemetry.errors import Invalid
from workers.models.artifacts import intact_artifact
from workers.models.formats.code.bundle import opened_bundle
from workers.models.golden import golden_frame


@click.command()
@click.argument("model")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@find_stack.for_registry
def export(model: str, directory: Path, home: Path) -> None:
    """Write MODEL to the new folder DIR: artifact, sample, manifest, and a loader.

    Beside these stands an ONNX file, if MODEL can be converted to one with the same answers.
    """
    registry = Registry(home)
    manifest = registry.resolve(model).manifest
    if manifest.format not in LOADING:
        raise Invalid(
            f"{manifest.reference} is a {manifest.format} model, which only predictq can load"
        )
    if directory.exists():
        raise Invalid(f"{directory} exists; name a new folder")
    content = intact_artifact(registry.artifact(manifest), manifest)
    directory.mkdir(parents=True)
    reason = _write(registry, manifest, content, directory)
    click.echo(
        f"exported {manifest.reference} to {directory}; python {directory}/load.py checks it"
    )
    click.echo(
        f"no ONNX file: {reason}"
        if reason
        else f"ONNX file with the same answers: {directory}/onnx"
    )


def _write(registry: Registry, manifest: Manifest, content: bytes, directory: Path) -> str:
    """Write everything; returns why there is no ONNX file, if there is none."""
    _write_artifact(content, manifest, directory)
    golden = registry.golden_rows(manifest)
    _write_sample(golden, manifest, directory)
    described = msgspec.json.format(msgspec.json.encode(manifest))
    (directory / "manifest.json").write_bytes(described)
    (directory / "load.py").write_text(loader(manifest, golden))
    reason = write_onnx(registry, manifest, golden, directory / "onnx")
    (directory / "README.md").write_text(readme(manifest, golden, reason))
    return reason


def _write_artifact(content: bytes, manifest: Manifest, directory: Path) -> None:
    bundle = opened_bundle(content)
    (directory / f"model.{manifest.format}").write_bytes(bundle.model)
    for name, code in bundle.code.items():
        path = directory / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(code)


def _write_sample(golden: GoldenRows | None, manifest: Manifest, directory: Path) -> None:
    """Write the golden rows, if there are any, in the dtypes of training."""
    method = manifest.signature.main
    if golden is not None and method in golden.answers:
        frame = golden_frame(manifest, golden)
        frame.columns = frame.columns.map(str)
        frame.to_parquet(directory / "sample.parquet", index=False)
        (directory / "answers.json").write_bytes(msgspec.json.encode(golden.answers[method]))
