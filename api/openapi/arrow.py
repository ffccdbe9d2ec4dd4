"""Arrow streams in the OpenAPI document."""

from api.openapi.objects import Json
from tasks.arrow.stream import ARROW

ARROW_TOLD = """As JSON or, of many rows, as an Arrow stream; then the other fields are in the \
query (`model`, `method`, `max_queue_seconds`, `timeout_seconds`)."""
"""In words, since parameters would have to be refused beside a body of JSON, too."""


def with_arrow(described: Json) -> Json:
    """A body or a response that may be an Arrow stream, too."""
    stream = {ARROW: {"schema": {"type": "string", "contentMediaType": ARROW}}}
    return described | {"content": described["content"] | stream}
