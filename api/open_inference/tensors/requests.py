"""The body of an inference: tensors by name, which outputs are wanted, parameters."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.limits.json_limits import MAX_VALUES
from registry.storage.model_settings import CacheSetting
from tasks.time_limits import MAX_QUEUE_SECONDS

Whole = Literal["INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"]
Datatype = Whole | Literal["BOOL", "FP16", "FP32", "FP64", "BYTES"]
MICROSECONDS = 1e6
MAX_DIMENSIONS = 8
MAX_REQUEST_ID_CHARS = 256
MAX_OUTPUTS = 8
"""Outputs of one request; each is a prediction of its own."""
Dimension = Annotated[int, Meta(ge=0, le=MAX_VALUES)]
Shape = Annotated[list[Dimension], Meta(min_length=1, max_length=MAX_DIMENSIONS)]
TensorValues = Annotated[Any, Meta(extra_json_schema={"type": "array"})]


class TensorParameters(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the values of a tensor are, if not in `data`. Unknown parameters are ignored."""

    binary_data_size: Annotated[int, Meta(ge=0)] | None = None
    """Bytes of the tensor behind the JSON, in the order of the tensors."""


class InputTensor(msgspec.Struct, frozen=True, kw_only=True):
    """One tensor: a column of the model, or all columns."""

    name: str
    shape: Shape
    datatype: Datatype
    parameters: TensorParameters = TensorParameters()
    data: TensorValues | UnsetType = UNSET
    """TensorValues in row-major order, flat or nested."""


class OutputParameters(msgspec.Struct, frozen=True):
    """How an output is sent. Unknown parameters are ignored."""

    binary_data: bool | None = None
    """Whether its values come behind the JSON. By default, as `binary_data_output` says."""


class RequestedOutput(msgspec.Struct, frozen=True):
    """An output that is wanted."""

    name: str
    """A method of the model, such as `predict_proba`."""
    parameters: OutputParameters = OutputParameters()

    def is_binary(self, *, otherwise: bool) -> bool:
        """Whether its values come in binary form; ``otherwise`` if it does not say."""
        wanted = self.parameters.binary_data
        return otherwise if wanted is None else wanted


class InferenceParameters(msgspec.Struct, frozen=True):
    """Parameters of a request. Unknown ones are ignored."""

    is_async: bool = msgspec.field(default=False, name="async")
    """Whether to answer 202 with the id of the prediction, without waiting."""
    binary_data_output: bool = False
    timeout: Annotated[int, Meta(ge=0, le=int(MAX_QUEUE_SECONDS * MICROSECONDS))] = 0
    """Microseconds that the prediction may wait in the queue; 0 means the version's own limit."""
    cache: CacheSetting | UnsetType = UNSET
    """As that of `POST /predict`."""


class InferenceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `POST /v2/models/<name>/infer`."""

    inputs: Annotated[list[InputTensor], Meta(min_length=1)]
    outputs: Annotated[list[RequestedOutput], Meta(max_length=MAX_OUTPUTS)] = []
    """Outputs asked for; by default that of the model's main method, such as `predict`."""
    id: Annotated[str, Meta(max_length=MAX_REQUEST_ID_CHARS)] = ""
    """Comes back with the answer."""
    parameters: InferenceParameters = InferenceParameters()
