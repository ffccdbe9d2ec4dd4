"""Models that only MLflow itself can load: the flavor `python_function`, kept as an archive."""

from typing import Any

import pandas as pd

from workers.models.formats.archive import names_in, unpacked
from workers.models.formats.code.modules import VersionModules
from workers.models.formats.mlflow.directory import MLMODEL
from workers.models.formats.model_format import LoadOptions, runtime_module
from workers.models.formats.unpacking import on_disk

_CODE = "code"
"""Where MLflow puts the modules that were given as ``code_paths``."""


def is_pyfunc(content: bytes) -> bool:
    """Whether content is an archive of a directory of MLflow."""
    return content.startswith(b"PK") and MLMODEL in names_in(content)


def load_pyfunc(content: bytes, _: LoadOptions) -> Any:
    """Load a trusted archive by MLflow, which runs the code in it."""
    mlflow = runtime_module("mlflow.pyfunc", "pip install mlflow-skinny")
    directory = on_disk(unpacked(content))
    modules = VersionModules(directory / _CODE)
    with modules.imported():
        return PyfuncModel(mlflow.load_model(str(directory)), modules)


class PyfuncModel:
    """A model of MLflow's `python_function`, called in its own modules."""

    def __init__(self, model: Any, modules: VersionModules) -> None:
        self._model, self._modules = model, modules

    def predict(self, given: Any) -> Any:
        """The answers, one for each row."""
        with self._modules.imported():
            found = self._model.predict(given)
        if isinstance(found, pd.DataFrame) and len(found.columns) == 1:
            return found.iloc[:, 0]
        return found
