"""Traces: which requests are sampled, their spans, and the export of these by OTLP."""
