"""The processes that compute, and the fork server from which they are forked."""
