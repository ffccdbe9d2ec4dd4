"""The files of an upload: a model and a sample, from paths or from memory."""

import json
import tempfile
from contextlib import ExitStack
from os import PathLike
from typing import IO, Any

from predictq.arguments import described, invalid_argument
from predictq.jobs.sources import expanded_path
from predictq.rows.ndjson import lines

OpenFiles = dict[str, tuple[str, IO[bytes]]]
NAMES = (
    *("metadata", "requirements", "version", "exact", "classes"),
    *("max_queue_seconds", "timeout_seconds", "why"),
)


def form_fields(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of the form; raises `InvalidRequest` for an unknown one."""
    for name in given.keys() - {*NAMES}:
        raise invalid_argument(name, f"there is no such field; there are {', '.join(NAMES)}")
    return {name: _field(name, value) for name, value in given.items() if value is not None}


def _field(name: str, value: Any) -> Any:
    if name == "metadata":
        return json.dumps({str(key): str(text) for key, text in dict(value).items()})
    if name == "requirements":
        return [value] if isinstance(value, str) else [str(each) for each in value]
    if name == "classes":
        return value if isinstance(value, str) else ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def open_files(opened: ExitStack, model: Any, sample: Any) -> tuple[OpenFiles, bool]:
    """The files of an upload, and whether the model's was made with pickle."""
    if isinstance(model, str | PathLike):
        path, is_pickled = expanded_path("model", model), False
        files: OpenFiles = {"file": (path.name, opened.enter_context(path.open("rb")))}
    else:
        file = opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed by the stack
        is_pickled = _save(model, file)
        files = {"file": ("model.joblib" if is_pickled else "model.skops", file)}
        file.seek(0)
    if sample is not None:
        files["sample"] = _sample(opened, sample)
    return files, is_pickled


def _save(model: Any, file: IO[bytes]) -> bool:
    """Save an estimator as skops, or else with joblib; returns whether it was joblib."""
    if not (hasattr(model, "predict") or hasattr(model, "transform") or isinstance(model, dict)):
        raise invalid_argument(
            "model", f"expected a path, a fitted estimator or a dictionary, got {described(model)}"
        )
    content = _as_skops(model)
    if content is not None:
        file.write(content)
        return False
    import joblib  # noqa: PLC0415 - an estimator needs scikit-learn, which brings joblib

    joblib.dump(model, file)
    return True


def _as_skops(model: Any) -> bytes | None:
    """The model as skops; None if skops is not installed, or has types that need trust."""
    try:
        import skops.io  # noqa: PLC0415 - optional

        content: bytes = skops.io.dumps(model)
        return None if skops.io.get_untrusted_types(data=content) else content
    except Exception:  # noqa: BLE001 - skops raises anything for what it cannot express
        return None


def _sample(opened: ExitStack, sample: Any) -> tuple[str, IO[bytes]]:
    """A data frame as Parquet, which keeps its types; a path as it is; other rows as NDJSON."""
    if isinstance(sample, str | PathLike):
        path = expanded_path("sample", sample)
        return path.name, opened.enter_context(path.open("rb"))
    file = opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed by the stack
    if hasattr(sample, "to_parquet"):
        sample.to_parquet(file, index=False)
    elif hasattr(sample, "write_parquet"):  # polars
        sample.write_parquet(file)
    else:
        file.writelines(lines(sample, lambda: None))
        file.seek(0)
        return "sample.ndjson", file
    file.seek(0)
    return "sample.parquet", file
