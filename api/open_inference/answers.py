"""The answer to an inference, once all of its predictions have their outcomes."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from flask import Response

from api.http.prefer import Preference
from api.http.problems import answer_to
from api.http.responses import json_response
from api.open_inference.tensors.outputs import OutputTensor, output_tensor
from api.open_inference.tensors.reading import HEADER_LENGTH
from api.predictions.outcomes import no_outcome_yet
from api.predictions.routes import AwaitedOutcome
from tasks.record import Record


class AnswerParameters(msgspec.Struct, frozen=True):
    """The fields of an answer beside its tensors."""

    prediction_ids: list[str]
    """The predictions that gave the outputs, in their order; see `GET /predict/result/<id>`."""


class InferenceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The body of the answer; tensors in binary form come behind it."""

    model_name: str
    model_version: str
    id: str
    """Id of the request, else of the first prediction."""
    parameters: AnswerParameters
    outputs: list[OutputTensor]


class WantedOutput(NamedTuple):
    """An output that is wanted."""

    method: str
    is_binary: bool


class Inference:
    """An inference whose predictions are accepted, one for each output.

    It stays in memory while it waits, so it has nothing of the inputs.
    """

    def __init__(
        self,
        id: str,
        wanted: Sequence[WantedOutput],
        accepted: Sequence[Record],
        preference: Preference,
        seconds: int,
    ) -> None:
        """``id``: that of the request. ``seconds``: how long to wait for all outcomes together."""
        self._id, self._wanted, self._accepted = id, wanted, accepted
        self._preference, self._deadline = preference, time.monotonic() + seconds
        self._ended: list[Record] = []

    def awaited(self) -> AwaitedOutcome:
        """The prediction to wait for next."""
        position = len(self._ended)
        return AwaitedOutcome(
            self._accepted[position],
            self._preference,
            max(round(self._deadline - time.monotonic()), 1),
            is_submission=True,
            form=self._answer,
            then=self._continued if position + 1 < len(self._accepted) else None,
        )

    def _continued(self, record: Record) -> AwaitedOutcome:
        self._ended.append(record)
        return self.awaited()

    def _answer(self, record: Record) -> Response:
        """The answer, where the last prediction succeeded, or none of them in time."""
        if record.receipt is None:
            return answer_to(no_outcome_yet(record.task_id))
        tensors: list[OutputTensor] = []
        raw = b""
        for output, each in zip(self._wanted, [*self._ended, record], strict=True):
            tensor, piece = output_tensor(output.method, each.result), b""
            if output.is_binary:
                tensor, piece = tensor.in_binary_form()
            tensors.append(tensor)
            raw += piece
        return self._sent(record, tensors, raw)

    def _sent(self, record: Record, tensors: list[OutputTensor], raw: bytes) -> Response:
        answer = InferenceAnswer(
            model_name=record.model,
            model_version=str(record.version),
            id=self._id or self._accepted[0].task_id,
            parameters=AnswerParameters([each.task_id for each in self._accepted]),
            outputs=tensors,
        )
        response = json_response(answer)
        if not any(output.is_binary for output in self._wanted):
            return response
        head = response.get_data()
        length = {HEADER_LENGTH: str(len(head))}
        return Response(head + raw, 200, length, content_type="application/octet-stream")
