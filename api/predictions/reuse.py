"""Whether a prediction may have the answer of another one, and by which key it is found."""

from hashlib import blake2b
from typing import Any

from msgspec import UnsetType

from registry.storage.model_settings import CacheSetting
from registry.versions import Resolved
from tasks.arrow.stream import ArrowRows
from tasks.messages import Reuse
from tasks.wire import encode


def reuse_of(
    asked: CacheSetting | UnsetType, resolved: Resolved, method: str, rows: Any, tenant: str
) -> Reuse | None:
    """How a prediction may reuse an answer; None if it is to be computed.

    ``asked``: by the request; else the setting of the model counts. A version that answers the same
    rows in another way each time is always asked. ``rows``: as in `Prediction`. ``tenant``: of the
    caller; tenants share no answers.
    """
    setting = resolved.cache if isinstance(asked, UnsetType) else asked
    if setting is False or resolved.varies:
        return None
    return Reuse(answer_key(resolved, method, rows, tenant), 0 if setting is True else setting)


def answer_key(resolved: Resolved, method: str, rows: Any, tenant: str) -> str:
    """A hash of all that an answer depends on.

    The rows are those that the model gets, in its own order of columns, so that it is the same how
    a caller ordered named ones. ``1``, ``1.0``, ``true`` and ``"1"`` are four values: which of them
    are one to a model is not known here. An Arrow stream is taken byte by byte.
    """
    manifest = resolved.manifest
    # The version beside the artifact: two versions may take the same file's rows in two ways.
    of = [tenant, manifest.reference, manifest.sha256, method]
    # Else a prediction might wait for one in the queue of a deployment that is stopped.
    of += [own.reference] if (own := resolved.deployment) else []
    digest = blake2b(encode(of), digest_size=20)
    if isinstance(rows, ArrowRows):
        digest.update(b"arrow")
        digest.update(rows.content)
    else:
        digest.update(encode(rows))
    return digest.hexdigest()
