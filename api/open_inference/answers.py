"""The answer to an inference, once all of its predictions have their outcomes."""

import time
from collections.abc import Sequence

import msgspec
from flask import Response

from api.http.prefer import Preference
from api.http.problems import answer_to
from api.http.responses import json_response
from api.open_inference.tensors.outputs import OutputTensor, output_tensor
from api.open_inference.tensors.reading import HEADER_LENGTH
from api.open_inference.tensors.requests import InferenceRequest
from api.predictions.outcomes import no_outcome_yet
from api.predictions.routes import AwaitedOutcome
from tasks.record import Record


class AnswerParameters(msgspec.Struct, frozen=True):
    """What an answer says beside its tensors."""

    prediction_ids: list[str]
    """The predictions that gave the outputs, in their order; see `GET /predict/result/<id>`."""


class InferenceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The body of the answer; tensors in binary form come behind it."""

    model_name: str
    model_version: str
    id: str
    """That of the request, else that of the first prediction."""
    parameters: AnswerParameters
    outputs: list[OutputTensor]


class Inference:
    """An inference whose predictions are accepted, one for each output."""

    def __init__(
        self,
        asked: InferenceRequest,
        methods: Sequence[str],
        accepted: Sequence[Record],
        preference: Preference,
        seconds: int,
    ) -> None:
        """``seconds``: how long to wait for all outcomes together."""
        self._asked, self._methods, self._accepted = asked, methods, accepted
        self._preference, self._deadline = preference, time.monotonic() + seconds
        self._ended: list[Record] = []

    def awaited(self) -> AwaitedOutcome:
        """What is to be waited for next."""
        place = len(self._ended)
        return AwaitedOutcome(
            self._accepted[place],
            self._preference,
            max(round(self._deadline - time.monotonic()), 1),
            is_submission=True,
            form=self._answer,
            then=self._continued if place + 1 < len(self._accepted) else None,
        )

    def _continued(self, record: Record) -> AwaitedOutcome:
        self._ended.append(record)
        return self.awaited()

    def _answer(self, record: Record) -> Response:
        """The answer, where the last prediction succeeded, or none of them in time."""
        if record.receipt is None:
            return answer_to(no_outcome_yet(record.task_id))
        records = [*self._ended, record]
        tensors = [
            output_tensor(method, each.result)
            for method, each in zip(self._methods, records, strict=True)
        ]
        return self._sent(record, tensors)

    def _sent(self, record: Record, tensors: list[OutputTensor]) -> Response:
        raw = b""
        for place, tensor in enumerate(tensors):
            if self._is_binary(place):
                tensors[place], piece = tensor.in_binary_form()
                raw += piece
        answer = InferenceAnswer(
            model_name=record.model,
            model_version=str(record.version),
            id=self._asked.id or self._accepted[0].task_id,
            parameters=AnswerParameters([each.task_id for each in self._accepted]),
            outputs=tensors,
        )
        response = json_response(answer)
        if not any(self._is_binary(place) for place in range(len(tensors))):
            return response
        head = response.get_data()
        length = {HEADER_LENGTH: str(len(head))}
        return Response(head + raw, 200, length, content_type="application/octet-stream")

    def _is_binary(self, place: int) -> bool:
        wanted = self._asked.outputs[place].parameters.binary_data if self._asked.outputs else None
        return self._asked.parameters.binary_data_output if wanted is None else wanted
