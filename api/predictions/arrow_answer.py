"""An outcome as an Arrow stream: predictions as columns, all else in the metadata of its schema."""

from collections.abc import Mapping

import msgspec
from flask import Response
from msgspec import UNSET

from api.predictions.named_columns import named_columns
from api.predictions.outcomes import outcome
from registry.manifest import Signature
from registry.store import Registry
from tasks.arrow.stream import ARROW
from tasks.arrow.writing import write_arrow
from tasks.record import Record
from telemetry.errors import NotFound

METADATA = "predictq"
"""Key of the outcome, without its predictions, in the metadata of the schema."""


def arrow_response(
    record: Record, registry: Registry, result_ttl: int, headers: Mapping[str, str]
) -> Response:
    """Answer a prediction that succeeded."""
    told = outcome(record, result_ttl, debug=False)
    columns = named_columns(_signature(registry, record), record.method, record.result)
    beside = msgspec.json.encode(msgspec.structs.replace(told, predictions=UNSET))
    content = write_arrow(columns, {METADATA: beside.decode()})
    return Response(content, 200, headers, content_type=ARROW)


def _signature(registry: Registry, record: Record) -> Signature | None:
    """The signature of the version that answered; None if it was removed since."""
    try:
        return registry.resolve(record.reference).manifest.signature
    except NotFound:
        return None
