"""All targets by name."""

from benchmarks.fuzz import files, messages, names, requests

TARGETS = {
    target.name: target
    for target in (*requests.TARGETS, *messages.TARGETS, *files.TARGETS, *names.TARGETS)
}
