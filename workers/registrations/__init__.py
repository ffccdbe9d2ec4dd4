"""Registrations: the gate of models that were uploaded, each in a process of its own."""
