"""Pauses of versions: begun by failures or an operator, ended by a probe."""
