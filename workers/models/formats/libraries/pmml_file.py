"""PMML files, computed by sklearn-pmml-model.

That library is silently wrong for some models, such as support vector machines. So a sample must
have the answers of the model that was exported; see `workers.models.expected`.
"""

import io
from typing import Any

import numpy as np
import pandas as pd

from telemetry.errors import ModelUnloadable
from workers.models.formats.model_format import LoadOptions, import_runtime

_HEAD = 2**12
"""Bytes in which the root element begins."""
_BEGINNINGS = (b"<?xml", b"<!--", b"<!DOCTYPE", b"<PMML")


def is_pmml(content: bytes) -> bool:
    """Whether content begins as a PMML document."""
    head = content[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith(_BEGINNINGS) and b"PMML" in head


def load_pmml(content: bytes, _: LoadOptions) -> Any:
    """Make a model; raises `ModelUnloadable` for a document with entities of its own."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ModelUnloadable("a PMML file with a document type is not read: it may expand itself")
    library = import_runtime("sklearn_pmml_model.auto_detect", "pmml")
    return PmmlModel(library.auto_detect_estimator(io.BytesIO(content)))


class PmmlModel:
    """A model of PMML that takes a data frame of its fields.

    Probabilities are not served: the sample has the saved model's answers only to ``predict``.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        target = model.target_field.get("name")
        fields = [name for name, each in model.fields.items() if each.tag == "DataField"]
        self.feature_names_in_ = np.array([n for n in fields if n != target], dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)

    def predict(self, given: Any) -> Any:
        """One answer for each row."""
        return self._model.predict(self._frame(given))

    def _frame(self, given: Any) -> pd.DataFrame:
        return pd.DataFrame(given, columns=self.feature_names_in_)
