"""A submission whose rows are an Arrow stream; its other fields are in the query."""

import msgspec
from msgspec import UNSET

from api.predictions.defaults import Defaults, read_defaults
from api.predictions.submission import Submission
from tasks.arrow.stream import read_arrow
from telemetry.errors import Detail, Invalid


class ArrowQuery(Defaults):
    """The query beside an Arrow stream."""

    debug: bool = False
    """Read by `api.callers.debugging`."""


def arrow_submission(body: bytes, query: bytes, max_rows: int, model: str | None) -> Submission:
    """Read a submission; raises `Malformed`, `Invalid` or `TooLarge`.

    ``model``: the reference in the path, if it is there; then the query need not have one.
    """
    given = msgspec.structs.asdict(read_defaults(query, ArrowQuery))
    fields = {name: v for name, v in given.items() if name != "debug" and v is not UNSET}
    named = fields.setdefault("model", model)
    if named is None or model not in (None, named):
        msg = "the path and the query name two models" if named else "the query must have a model"
        raise Invalid(msg, errors=[Detail(("model",), msg)])
    return Submission(features=read_arrow(body, max_rows), **fields)
