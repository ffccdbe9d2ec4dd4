"""The texts of an exported folder: `load.py` and `README.md`."""

from registry.manifest import Manifest
from registry.readiness import GoldenRows

LOADING = {
    "skops": "import skops.io as s; made = s.load(MODEL, s.get_untrusted_types(file=MODEL))",
    "joblib": "import joblib; made = joblib.load(MODEL)",
    "pickle": "import joblib; made = joblib.load(MODEL)",
    "onnx": "import onnxruntime; return onnxruntime.InferenceSession(MODEL)",
    "xgboost": "import xgboost; return xgboost.Booster(model_file=MODEL)",
    "lightgbm": "import lightgbm; return lightgbm.Booster(model_file=MODEL)",
    "catboost": "import catboost; return catboost.CatBoost().load_model(MODEL)",
}
"""Format → how the loader makes the model."""
ESTIMATORS = ("skops", "joblib", "pickle")
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
_UNWRAPPED = """\
    is_dict = isinstance(made, dict)
    return next(part for part in made.values() if hasattr(part, "{method}")) if is_dict else made
"""
_CHECK = """

if __name__ == "__main__":
    import pandas as pd
    rows = pd.read_parquet(HERE / "sample.parquet")
    known = json.loads((HERE / "answers.json").read_text())
    found = load().{method}(rows{given}).tolist()
    same = all(abs(a - b) < 1e-9 if isinstance(b, float) else a == b for a, b in zip(found, known))
    print("same answers" if same and len(found) == len(known) else "OTHER ANSWERS")
"""
_README = """\
# {reference}

Exported from predictq. Nothing here needs predictq.

- `model.{suffix}`: the model as it was registered, SHA-256 `{sha256}`.
- `load.py`: makes the model. It needs the libraries that its first lines name.{trust}
{sample}- `manifest.json`: what the registry knows of the version, such as its columns.
{onnx}
"""
_SAMPLE = """\
- `sample.parquet`, `answers.json`: rows, and the model's own answers when it was registered.{check}
"""
_TRUST = " Loading the model runs code that came with it."
_ONNX = """\
- `onnx`: the model as an ONNX file. `onnx/load.py` needs ONNX Runtime and NumPy alone, and \
compares the file with the sample when it is run. The answers were the model's own on the sample, \
on rows beside it, and on random rows: labels exactly, numbers within 1e-12. Missing values and \
infinities were not compared, so `onnx/load.py` refuses them."""
_NO_ONNX = "- There is no ONNX file: {reason}."


def loader(manifest: Manifest, golden: GoldenRows | None) -> str:
    """The text of `load.py`, which compares the golden rows if it can."""
    named = sorted(manifest.libraries.items())
    is_estimator = manifest.format in ESTIMATORS
    text = _LOADER.format(
        reference=manifest.reference,
        libraries=", ".join(f"{library} {version}" for library, version in named),
        suffix=manifest.format,
        loading=LOADING[manifest.format],
    )
    method = manifest.signature.main
    if is_estimator:
        text += _UNWRAPPED.format(method=method)
    given = "" if manifest.signature.frame else ".to_numpy()"
    return text + (_CHECK.format(method=method, given=given) if _checks(manifest, golden) else "")


def readme(manifest: Manifest, golden: GoldenRows | None, reason: str) -> str:
    """The text of `README.md`; ``reason``: why there is no ONNX file, if there is none."""
    has_sample = golden is not None and manifest.signature.main in golden.answers
    check = " `load.py` compares them when it is run." if _checks(manifest, golden) else ""
    return _README.format(
        reference=manifest.reference,
        suffix=manifest.format,
        sha256=manifest.sha256,
        trust=_TRUST if manifest.runs_code else "",
        sample=_SAMPLE.format(check=check) if has_sample else "",
        onnx=_NO_ONNX.format(reason=reason) if reason else _ONNX,
    )


def _checks(manifest: Manifest, golden: GoldenRows | None) -> bool:
    has_answers = golden is not None and manifest.signature.main in golden.answers
    return has_answers and manifest.format in ESTIMATORS
