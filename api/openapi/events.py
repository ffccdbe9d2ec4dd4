"""The stream of events in the OpenAPI document."""

from api.events.stream import Gap, OutcomeEvent
from api.openapi.objects import Json, operation, problems

EVENT_TYPES = (OutcomeEvent, Gap)
TOLD = """Server-sent events without end: `outcome`, with an `OutcomeEvent`, for each prediction \
that ends; `gap`, with a `Gap`, where some may be missing. Needs the scope `operate`."""


def events() -> Json:
    """The path of the events."""
    last = {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "The `id` of the last event that was read; the stream continues after it",
        "schema": {"type": "string"},
    }
    stream = {"description": TOLD, "content": {"text/event-stream": {}}}
    get = operation("predictions", "Follow the outcomes of all predictions", "followOutcomes")
    return {
        "get": get | {"parameters": [last], "responses": {"200": stream, **problems("403", "503")}}
    }
