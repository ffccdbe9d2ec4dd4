"""The routes of the Open Inference Protocol, version 2, over predictions and the registry."""
