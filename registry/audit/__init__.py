"""The audit log: changes that callers asked for and refusals of rights, in a hash chain."""
