"""The single owner of what Redis knows: key layout, scripts, records, result backend."""
