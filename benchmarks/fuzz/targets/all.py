"""All targets by name."""

from benchmarks.fuzz.targets import (
    arrow,
    exchanges,
    files,
    jwts,
    messages,
    names,
    operators,
    requests,
)

TARGETS = {
    target.name: target
    for module in (requests, jwts, exchanges, operators, arrow, messages, files, names)
    for target in module.TARGETS
}
