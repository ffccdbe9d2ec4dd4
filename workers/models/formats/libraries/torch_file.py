"""TorchScript files and exported programs of PyTorch, computed on one thread.

A file of `torch.save` holds weights, or a pickle that names classes; it is recognised, and refused
with the way to save a program.
"""

import io
from typing import Any

import numpy as np
import pandas as pd

from telemetry.errors import ModelUnloadable
from workers.models.formats.archive import names_in
from workers.models.formats.libraries.labelled import ScoresClassifier
from workers.models.formats.model_format import LoadOptions, import_runtime

_SAVED = (
    "it holds weights or a pickle, not a program; "
    "save it with torch.jit.script(model).save(path) or torch.export.save(program, path)"
)


def is_torch(content: bytes) -> bool:
    """Whether content is an archive that PyTorch wrote."""
    return content.startswith(b"PK") and bool(
        {"data.pkl", "models/model.json"} & _inner_names(content)
    )


def load_torch(content: bytes, options: LoadOptions) -> Any:
    """Make a model around the program; raises `ModelUnloadable` for a file that holds none."""
    names = _inner_names(content)
    if "models/model.json" not in names and "constants.pkl" not in names:
        raise ModelUnloadable(_SAVED)
    torch = import_runtime("torch", "torch")
    torch.set_num_threads(1)  # the pool is the parallelism, and threads do not survive a fork
    if "constants.pkl" in names:
        program = torch.jit.load(io.BytesIO(content), map_location="cpu").eval()
    else:
        program = torch.export.load(io.BytesIO(content)).module()
    model = TorchModel(torch, program)
    return model if options.labels is None else ScoresClassifier(model, options.labels)


class TorchModel:
    """A program that takes a matrix (rows, columns), and gives a tensor with an entry a row."""

    def __init__(self, torch: Any, program: Any) -> None:
        self._torch, self._program = torch, program
        parameters = (each.dtype for each in program.parameters() if each.is_floating_point())
        self._dtype = next(parameters, torch.float32)

    def predict(self, given: Any) -> Any:
        """The output of the program, or all outputs if there are several."""
        array = given.to_numpy() if isinstance(given, pd.DataFrame) else given
        rows = self._torch.as_tensor(np.ascontiguousarray(array, dtype=np.float64))
        # Without optimisation each call computes alike; else the first calls differ from others.
        with self._torch.inference_mode(), self._torch.jit.optimized_execution(False):
            found = self._program(rows.to(self._dtype))
        if isinstance(found, tuple | list):
            return tuple(_array(each) for each in found)
        return _array(found)


def _array(tensor: Any) -> Any:
    array = tensor.detach().numpy()
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _inner_names(content: bytes) -> set[str]:
    """Names in the archive, without the directory that holds all of them."""
    return {name.partition("/")[2] for name in names_in(content)}
