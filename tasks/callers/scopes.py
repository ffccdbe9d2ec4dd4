"""Scopes: what a caller may do. A role is a set of scopes."""

from collections.abc import Iterable
from typing import Literal, get_args

from telemetry.errors import Invalid

Scope = Literal[
    "predict",
    "batch",
    "files",
    "models:read",
    "models:write",
    "models:trust",
    "operate",
    "metrics",
    "admin",
]
"""``predict``: submit predictions, look them up, cancel them. ``batch``: the same for batch jobs,
with uploads. ``files``: name any path for a job that the server's user may read or write.
``models:read``: see models, versions and their history. ``models:write``: change the registry, and
download artifacts and samples. ``models:trust``: upload models that run code when they are loaded.
``operate``: pause versions, load them, replay dead letters, see tracebacks, follow events.
``metrics``: see the state: statistics, metrics, dead letters, the console. ``admin``: make and
revoke keys."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
EVERY_SCOPE: frozenset[Scope] = frozenset(SCOPES)
ROLES: dict[str, frozenset[Scope]] = {
    "viewer": frozenset(("models:read", "metrics")),
    "operator": frozenset(("models:read", "metrics", "predict", "batch", "operate")),
    "admin": EVERY_SCOPE,
}
"""The scope ``admin`` comes only with the role ``admin``: a caller that makes keys can give itself
any scope."""


def scopes_of(names: Iterable[str]) -> frozenset[Scope]:
    """The scopes that scopes and roles name; raises `Invalid` for an unknown name."""
    found: set[Scope] = set()
    for name in names:
        if name in ROLES:
            found |= ROLES[name]
        elif name in EVERY_SCOPE:
            found.add(name)
        else:
            known = ", ".join((*SCOPES, *ROLES))
            raise Invalid(f"there is no scope or role {name[:100]!r}; there are {known}")
    return frozenset(found)
