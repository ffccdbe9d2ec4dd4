"""An outcome as an Arrow stream: predictions as columns, all else in the metadata of its schema."""

import msgspec
from msgspec import UNSET

from api.predictions.named_columns import named_columns
from api.predictions.outcomes import Outcome
from registry.manifest import Signature
from tasks.arrow.writing import write_arrow

METADATA = "predictq"
"""Key of the outcome, without its predictions, in the metadata of the schema."""


def arrow_answer(outcome: Outcome, signature: Signature | None, method: str) -> bytes:
    """Encode the outcome of a prediction that succeeded.

    ``signature``: of the version that answered; None if it was removed since.
    """
    beside = msgspec.structs.replace(outcome, predictions=UNSET)
    columns = named_columns(signature, method, outcome.predictions or [])
    return write_arrow(columns, {METADATA: msgspec.json.encode(beside).decode()})
