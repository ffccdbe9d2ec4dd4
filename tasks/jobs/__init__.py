"""Batch jobs as API and workers share them: job request, ledger, scripts, files and gateway."""
