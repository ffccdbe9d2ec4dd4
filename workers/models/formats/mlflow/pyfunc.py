"""Models that only MLflow itself can load: the flavor `python_function`, kept as an archive."""

from typing import Any

import pandas as pd

from workers.models.formats.archive import names_in, unpacked
from workers.models.formats.mlflow.directory import MLMODEL
from workers.models.formats.model_format import LoadOptions, runtime_module
from workers.models.formats.unpacking import on_disk


def is_pyfunc(content: bytes) -> bool:
    """Whether content is an archive of a directory of MLflow."""
    return content.startswith(b"PK") and MLMODEL in names_in(content)


def load_pyfunc(content: bytes, _: LoadOptions) -> Any:
    """Load a trusted archive by MLflow, which runs the code in it."""
    mlflow = runtime_module("mlflow.pyfunc", "pip install mlflow-skinny")
    return PyfuncModel(mlflow.load_model(str(on_disk(unpacked(content)))))


class PyfuncModel:
    """A model of MLflow's `python_function`."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def predict(self, given: Any) -> Any:
        """The answers, one for each row."""
        found = self._model.predict(given)
        if isinstance(found, pd.DataFrame) and len(found.columns) == 1:
            return found.iloc[:, 0]
        return found
