"""All targets by name."""

from benchmarks.fuzz import arrow, files, messages, names, requests

TARGETS = {
    target.name: target
    for module in (requests, arrow, messages, files, names)
    for target in module.TARGETS
}
