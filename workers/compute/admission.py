"""Reads and checks one request of a microbatch, as those of stock producers skip the front end."""

import msgspec

from registry.manifest import Manifest, Signature
from registry.methods import check_method, input_of
from registry.rows import validation
from registry.storage.model_settings import Shadow
from registry.store import Registry
from registry.versions import Resolved
from tasks.ledger.predictions.attempts import NotStarted, Start
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.queue.canaries import CANARY_MODEL
from tasks.messages import Arm, Call, CopyOf, read_call
from tasks.record import Record
from tasks.time_limits import MAX_ATTEMPTS, MAX_RUN_SECONDS
from telemetry.errors import (
    Malformed,
    ModelUnloadable,
    RegistryUnavailable,
    TimedOut,
    WorkerLost,
)
from workers.compute.disposition import Decision, failed
from workers.models.engine import Rows
from workers.models.resolving import resolve, resolve_pinned
from workers.models.tabular.arrow_rows import table_of_arrow
from workers.protocol import Instruction, Item


class AdmittedRequest(msgspec.Struct, frozen=True):
    """One request of a microbatch, read and checked."""

    item: Item
    attempt: int
    record: Record
    manifest: Manifest
    rows: Rows
    """Validated rows of the wire; a table if they came as an Arrow stream."""
    shadow: Shadow | None = None
    """The shadow of its alias."""
    copy_of: CopyOf | None = None
    """None unless it is a copy for a shadow."""


def admit(registry: Registry, item: Item, start: Start) -> AdmittedRequest | Decision:
    """Check a request. Returns it, or its disposition if it is not computed.

    ``start`` is the answer of `Ledger.start`: an attempt's number, or that the request is late.
    Raises nothing: any error becomes the outcome of this request alone.
    """
    attempt = start if isinstance(start, int) else 0
    # For a body that cannot be read: its failure needs a record, too.
    record = Record.read(item.id, None, item.traceparent)
    try:
        call = _call(item)
        record = Record.read(item.id, call, item.traceparent)
        # Before the registry is asked, as the canary's model is not in it.
        if record.reference == CANARY_MODEL:
            return Settled(record.succeeded([], None), item.tag)
        # By its id: each attempt at a message of a stock producer is for the same version.
        resolved = _resolved(registry, call).chosen(item.id)
        record = _pinned(record, resolved, call)
        # Only now, since outcomes are recorded and counted for the version.
        if unwanted := _unwanted(record, item, start):
            return unwanted
        _refuse_hopeless(item, attempt)
        check_method(resolved.manifest, call.method)
        signature = input_of(resolved.manifest.signature, call.method)
        rows = _rows(signature, call)
    except RegistryUnavailable as error:  # a cancelled or late request needs no registry to settle
        return _unwanted(record, item, start) or failed(record, item, error, attempt)
    except Exception as error:  # noqa: BLE001 - a malformed request must fail alone
        return failed(record, item, error, attempt)
    shadow = resolved.shadows.get(call.alias) if call.alias else None
    return AdmittedRequest(
        item, attempt, record, resolved.manifest, rows, shadow, copy_of=call.copy_of
    )


def _rows(signature: Signature, call: Call) -> Rows:
    if call.arrow is not None:
        return table_of_arrow(signature, call.arrow)
    return validation.rows(signature, call.features)


def _call(item: Item) -> Call:
    if item.content_type != "application/json":
        raise Malformed(f"the body must be application/json, not {item.content_type}")
    return read_call(item.body)


def _resolved(registry: Registry, call: Call) -> Resolved:
    # Our front end sets `created_at`, and pins a call to a version before it does so.
    is_pinned = call.created_at is not None and ":" in call.model
    return (resolve_pinned if is_pinned else resolve)(registry, call.model)


def _unwanted(record: Record, item: Item, start: Start) -> Settled | None:
    """The outcome of a cancelled or late request; None for any other."""
    if item.instruction is Instruction.CANCEL:
        return Settled(record.cancelled(), item.tag)
    if start is NotStarted.LATE:
        return Settled(record.expired(), item.tag)
    return None


def _pinned(record: Record, resolved: Resolved, call: Call) -> Record:
    manifest = resolved.manifest
    return msgspec.structs.replace(
        record,
        model=manifest.name,
        version=manifest.version,
        alias=call.alias or resolved.alias,
        # A message of a stock producer is drawn here, and has no sticky key.
        arm=Arm(resolved.share) if resolved.share else record.arm,
    )


def _refuse_hopeless(item: Item, attempt: int) -> None:
    if item.instruction is Instruction.TIME_OUT:
        raise TimedOut
    if item.instruction is Instruction.GIVE_UP_LOADING:
        raise ModelUnloadable(f"loading the model took more than {MAX_RUN_SECONDS} s")
    if attempt > MAX_ATTEMPTS:
        raise WorkerLost(f"the computation ended its process {attempt - 1} times")
