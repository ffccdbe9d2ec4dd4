"""Outcomes are counted by tenant, with a bound on how many tenants are told apart."""

from msgspec.structs import replace

from tasks.ledger import keys
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.script_constants import MAX_TENANTS_COUNTED
from tasks.ledger.tenants.counts import TenantCounts, tenant_counts
from tasks.record import Record
from telemetry.errors import ModelError
from tests.integration.ledger.ledger_harness import PREDICTION, RECEIPT, LedgerHarness


def opened(harness: LedgerHarness, tenant: str, name: str = "a") -> Record:
    record = Record.queued(f"{tenant}-{name}", replace(PREDICTION, tenant=tenant))
    harness.client.set(keys.record(record.task_id), record.open_text)
    return record


def test_outcomes_are_counted_for_their_tenants(harness: LedgerHarness) -> None:
    outcomes = [
        opened(harness, "risk").succeeded([7, 8], RECEIPT),
        opened(harness, "risk", "b").failed(ModelError("no")),
        opened(harness, "web").cancelled(),
        opened(harness, "default").succeeded([7], RECEIPT),
    ]
    assert harness.ledger.settle("churn:3", [Settled(outcome) for outcome in outcomes]) == 4
    assert harness.ledger.settle("churn:3", [Settled(outcomes[0])]) == 0  # once only
    assert tenant_counts(harness.client) == {
        "risk": TenantCounts(succeeded=1, failed=1, rows=2),
        "web": TenantCounts(cancelled=1),
    }


def test_tenants_beyond_the_bound_are_counted_together(harness: LedgerHarness) -> None:
    for number in range(MAX_TENANTS_COUNTED + 3):
        outcome = opened(harness, f"t{number}").succeeded([1], RECEIPT)
        harness.ledger.settle("churn:3", [Settled(outcome)])
    counts = tenant_counts(harness.client)
    assert len(counts) == MAX_TENANTS_COUNTED + 1
    assert counts["t0"].succeeded == 1
    assert counts["other"].succeeded == 3
