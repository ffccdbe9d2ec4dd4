"""The contract between the front end and the workers."""
