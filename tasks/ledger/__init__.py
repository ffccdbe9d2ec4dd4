"""The ledger owns what Redis knows: key layout, scripts, records, result backend."""
