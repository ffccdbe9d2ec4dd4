"""Quotas: how much of what all callers share one tenant may take."""

import msgspec


class Quotas(msgspec.Struct, frozen=True):
    """Of each tenant but the default one; None is no quota."""

    queued_rows: int | None = None
    """Most rows that wait in a queue."""
    outcome_bytes: int | None = None
    """Most bytes of outcomes that Redis keeps."""

    def text(self, tenant: str | None) -> str:
        """As quotas.lua takes them; empty for no tenant, and if there is no quota."""
        if not tenant or self == NO_QUOTAS:
            return ""
        return f"{tenant} {self.queued_rows or 0} {self.outcome_bytes or 0}"


NO_QUOTAS = Quotas()
