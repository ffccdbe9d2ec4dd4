"""The `predictq models export` command: a folder that answers as a version without predictq."""

from pathlib import Path

import click
import msgspec

from cli import find_stack
from registry.manifest import Manifest
from registry.readiness import GoldenRows
from registry.store import Registry
from telemetry.errors import Invalid
from workers.models.formats.code.bundle import opened_bundle
from workers.models.formats.source import read_file
from workers.models.golden import golden_frame

_LOADING = {
    "skops": "import skops.io as s; return s.load(MODEL, s.get_untrusted_types(file=MODEL))",
    "joblib": "import joblib; return joblib.load(MODEL)",
    "pickle": "import joblib; return joblib.load(MODEL)",
    "onnx": "import onnxruntime; return onnxruntime.InferenceSession(MODEL)",
    "xgboost": "import xgboost; return xgboost.Booster(model_file=MODEL)",
    "lightgbm": "import lightgbm; return lightgbm.Booster(model_file=MODEL)",
    "catboost": "import catboost; return catboost.CatBoost().load_model(MODEL)",
}
"""Format → how the loader makes the model."""
_COMPARED = ("skops", "joblib", "pickle")
"""Formats whose loader gives the estimator itself, so that it can be asked for the sample."""
_LOADER = '''\
"""Loads {reference} without predictq; run this file to compare it with the sample.

It was registered with {libraries}.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
MODEL = str(HERE / "model.{suffix}")
sys.path.insert(0, str(HERE / "code"))


def load():
    {loading}
'''
_CHECK = """

if __name__ == "__main__":
    import pandas as pd
    rows = pd.read_parquet(HERE / "sample.parquet")
    known = json.loads((HERE / "answers.json").read_text())
    found = load().{method}(rows{given}).tolist()
    same = all(abs(a - b) < 1e-9 if isinstance(b, float) else a == b for a, b in zip(found, known))
    print("same answers" if same and len(found) == len(known) else "OTHER ANSWERS")
"""


@click.command()
@click.argument("model")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@find_stack.for_registry
def export(model: str, directory: Path, home: Path) -> None:
    """Write MODEL to the new folder DIR: artifact, sample, manifest, and a loader."""
    registry = Registry(home)
    manifest = registry.resolve(model).manifest
    if manifest.format not in _LOADING:
        raise Invalid(
            f"{manifest.reference} is a {manifest.format} model, which only predictq can load"
        )
    if directory.exists():
        raise Invalid(f"{directory} exists; name a new folder")
    directory.mkdir(parents=True)
    _write_artifact(registry, manifest, directory)
    compared = _write_sample(registry.golden_rows(manifest), manifest, directory)
    described = msgspec.json.format(msgspec.json.encode(manifest))
    (directory / "manifest.json").write_bytes(described)
    (directory / "load.py").write_text(_loader(manifest, compared=compared))
    click.echo(
        f"exported {manifest.reference} to {directory}; python {directory}/load.py checks it"
    )


def _write_artifact(registry: Registry, manifest: Manifest, directory: Path) -> None:
    bundle = opened_bundle(read_file(registry.artifact(manifest), manifest.reference))
    (directory / f"model.{manifest.format}").write_bytes(bundle.model)
    for name, content in bundle.code.items():
        path = directory / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _write_sample(golden: GoldenRows | None, manifest: Manifest, directory: Path) -> bool:
    """Write the golden rows in the dtypes of training; returns whether there are any."""
    method = manifest.signature.main
    if golden is None or method not in golden.answers:
        return False
    frame = golden_frame(manifest, golden)
    frame.columns = frame.columns.map(str)
    frame.to_parquet(directory / "sample.parquet", index=False)
    (directory / "answers.json").write_bytes(msgspec.json.encode(golden.answers[method]))
    return manifest.format in _COMPARED


def _loader(manifest: Manifest, *, compared: bool) -> str:
    named = sorted(manifest.libraries.items())
    text = _LOADER.format(
        reference=manifest.reference,
        libraries=", ".join(f"{library} {version}" for library, version in named),
        suffix=manifest.format,
        loading=_LOADING[manifest.format],
    )
    given = "" if manifest.signature.frame else ".to_numpy()"
    return text + (_CHECK.format(method=manifest.signature.main, given=given) if compared else "")
