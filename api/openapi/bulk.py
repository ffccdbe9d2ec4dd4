"""Bulk requests in the OpenAPI document."""

from api.bulk.answer import NDJSON
from api.bulk.gateway import AcceptedLine
from api.bulk.ids import MAX_ID_CHARS
from api.bulk.lines import MAX_LINES
from api.bulk.parsing import BulkLine, BulkRequest
from api.bulk.problems import LineProblem
from api.openapi.arrow import with_arrow
from api.openapi.objects import Json, operation, prefer, problems, ref, request_body
from api.predictions.submission import Submission

BULK_TYPES = (BulkRequest, BulkLine, AcceptedLine, LineProblem)
ONE_EXAMPLE = {"model": "iris", "features": [5.1, 3.5, 1.4, 0.2]}
MANY_EXAMPLE = {"model": "iris", "requests": [{"features": [5.1, 3.5, 1.4, 0.2]}]}
SUBMISSION = """One prediction as JSON or, of many rows, as an Arrow stream. Or \
many: a `BulkLine` a line as NDJSON, whose missing \
fields are taken from the query (`model`, `method`, `max_queue_seconds`, `timeout_seconds`), or a \
`BulkRequest` as JSON. Many are answered as NDJSON, with an `AcceptedLine` or a `LineProblem` for \
each in order; with a problem if none is accepted."""


def submission() -> Json:
    """Description and body of `POST /predict/async`."""
    body = request_body(Submission, ONE_EXAMPLE)
    in_json = body["content"]["application/json"]
    in_json["schema"] = {"anyOf": [ref(Submission), ref(BulkRequest)]}
    in_json["examples"]["many predictions"] = {"value": MANY_EXAMPLE}
    body["content"][NDJSON] = {"schema": {"type": "string"}}
    return {"description": SUBMISSION, "requestBody": with_arrow(body)}


def results() -> Json:
    """The path of the outcomes of many predictions."""
    one = {"type": "string", "maxLength": MAX_ID_CHARS}
    told = f"The ids, {MAX_LINES} at most"
    ids = {"type": "array", "items": one, "minItems": 1, "description": told}
    content = {"application/json": {"schema": ids}, NDJSON: {"schema": {"type": "string"}}}
    each = "An `Outcome`, a `Pending` or a `Problem` for each id, in order"
    answered = {"description": each, "content": {NDJSON: {}}}
    answers = {"200": answered, **problems("400", "413", "415", "422", "503")}
    post = operation("predictions", "Look up many outcomes", "lookUpMany")
    post |= {"requestBody": {"required": True, "content": content}, "parameters": [prefer()]}
    return {"post": post | {"responses": answers}}
