"""Targets: bodies by which operators make keys, deployments and rollouts."""

from collections.abc import Callable
from typing import Any

from api.deployments.routes import DeployRequest
from api.drop_in.resources import read_resources
from api.http.conversion import converted
from api.models.alias_routes import AliasMove
from api.rollouts.rollout_routes import RolloutRequest
from benchmarks.fuzz.target import Parse, plain
from registry.splits import parse_meaning
from tasks.callers.tokens import read_token
from tasks.ledger.api_keys.new_key import NewKey
from tasks.wire import decode

KEYS = (
    b'{"name": "billing", "scopes": ["predict", "viewer"], "tenant": "risk", "rate": "100/s"}',
    (
        b'{"name": "a b@c.d", "scopes": ["admin"], "models": ["churn*"], "rows": "1e6/h", '
        b'"expires_seconds": 86400.0, "networks": ["10.0.0.0/8", "fd00::/8"]}'
    ),
)
DEPLOYMENTS = (
    b'{"environment": "production", "concurrency": 2, "memory_limit": 1073741824, "timeout": 3.5}',
    b'{"environment": "a", "cpu_limit": 0.5, "when_stopped": "wait", "version": 3, "why": "x"}',
)
ROLLOUTS = (
    b'{"version": 2, "alias": "production", "steps": [10, 50, 100], "every_seconds": 600}',
    b'{"version": 2, "requests": 100, "max_failed": 0.5, "again": true, "by": "me"}',
)
MOVES = (b'{"version": 3, "expected": null}', b'{"version": {"3": 90, "4": 10}, "why": "x"}')
RESOURCES = (
    b'{"cpu_limit": "500m", "memory_limit": "512Mi", "timeout": "30"}',
    b'{"cpu_limit": 0.5, "memory_limit": "1.5GB", "other": []}',
)
TOKENS = (b"pq_live_abcdefgh_" + b"x" * 43 + b"00000000",)


def _body(kind: type[Any], act: Callable[[Any], object] = lambda read: read) -> Parse:
    return lambda content: act(converted(decode(content), kind))


TARGETS = (
    plain("key", KEYS, _body(NewKey, NewKey.key)),
    plain("deployment", DEPLOYMENTS, _body(DeployRequest, lambda asked: asked.scaling)),
    plain("rollout", ROLLOUTS, _body(RolloutRequest, lambda asked: asked.plan)),
    plain("move of an alias", MOVES, _body(AliasMove)),
    plain("resources", RESOURCES, _body(dict[str, Any], read_resources)),
    plain("split", (b"3=90,4=10", b"3"), lambda text: parse_meaning(text.decode("latin-1"))),
    plain("token", TOKENS, lambda text: read_token(text.decode("latin-1"))),
)
