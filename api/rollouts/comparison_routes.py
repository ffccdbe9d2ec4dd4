"""The route that compares the versions of a split alias."""

import msgspec
from flask import Blueprint, Response, request

from api.http.operator_bodies import read_query
from api.http.responses import json_response
from api.models.alias_routes import ROLLED_BACK, Number
from api.shadows.looking import ShadowLook, ShadowState
from registry.names import checked_name
from registry.rollouts.rollouts import Rollouts
from registry.splits import main_version, shares_of
from registry.store import Registry
from tasks.comparison.figures import ArmFigures, Comparisons, Figures, call_percentile
from tasks.comparison.judging import Judging
from tasks.comparison.verdict import Comparison, Verdict, compared
from tasks.ledger.ledger import Ledger
from tasks.ledger.statistics import BUCKETS
from telemetry.errors import AliasNotFound, Detail, Invalid, NotFound


class ComparisonQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The query of `GET /models/<name>/comparison`."""

    alias: str = ROLLED_BACK
    version: Number | None = None
    """The version that is compared with the main one, of a split that has several others."""


class ComparedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of one version while the alias was split."""

    version: int
    answered: int
    """Predictions that succeeded, or failed by an error of the version's side."""
    failed: int
    errors: int
    """Failures, of which each sticky key counts once."""
    calls: int
    """Model calls, each of a microbatch."""
    p50_ms: float | None
    """Of a model call, as the upper bound of a bucket; null before the first."""
    p95_ms: float | None


class ComparisonState(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions of a split alias, compared."""

    model: str
    alias: str
    stable: int
    candidate: int
    share: int
    """Percent of the requests that the candidate gets now."""
    rollout: int | None
    """The rollout that compares them; null if the alias was split by hand."""
    verdict: Verdict
    versions: tuple[ComparedVersion, ...]
    """The stable one, and the candidate."""
    agreement: ShadowState | None
    """How a shadow of this alias agrees; null without one."""
    path: list[tuple[int, float]]
    """How the evidence of harm grew: predictions of the candidate, and the evidence then. Only of
    rollouts."""


class ComparisonViews:
    """The view."""

    def __init__(self, registry: Registry, ledger: Ledger, shadows: ShadowLook) -> None:
        self._shadows = shadows
        self._registry, self._rollouts = registry, Rollouts(registry)
        self._comparisons, self._judging = Comparisons(ledger.client), Judging(ledger.client)

    def blueprint(self) -> Blueprint:
        """The route."""
        routes = Blueprint("comparison", __name__)
        routes.get("/models/<name>/comparison")(self.show)
        return routes

    def show(self, name: str) -> Response:
        """Compare the versions of an alias: by its last rollout, else by its split."""
        query = read_query(request, ComparisonQuery)
        split = f"{checked_name(name)}@{query.alias}"
        comparison, rollout = self._comparison(name, query)
        figures, verdict = self._judging.look(split, comparison)
        return json_response(
            ComparisonState(
                model=name,
                alias=query.alias,
                stable=comparison.stable,
                candidate=comparison.version,
                share=comparison.share,
                rollout=rollout,
                verdict=verdict,
                versions=tuple(
                    _counted(number, figures) for number in (comparison.stable, comparison.version)
                ),
                agreement=self._shadows.find(name, query.alias),
                path=self._comparisons.path(split),
            )
        )

    def _comparison(self, name: str, query: ComparisonQuery) -> tuple[Comparison, int | None]:
        meaning = self._registry.aliases(name).get(query.alias)
        for rollout in self._rollouts.all(name):
            if rollout.alias == query.alias and rollout.meaning == meaning:
                return compared(rollout), rollout.id
        if meaning is None:
            raise AliasNotFound(f"model {name!r} has no alias {query.alias!r}")
        return _by_hand(f"{name}@{query.alias}", shares_of(meaning), query), None


def _by_hand(split: str, shares: dict[int, int], query: ComparisonQuery) -> Comparison:
    stable = main_version(shares)
    others = [version for version in shares if version != stable]
    if not others:
        raise NotFound(
            f"{split} means version {stable} alone, so there is nothing to compare: split it, or "
            "start a rollout; what a shadow answers is compared at /shadow"
        )
    if query.version is not None:
        others = [version for version in others if version == query.version]
    if len(others) != 1:
        told = ", ".join(map(str, sorted(shares.keys() - {stable})))
        message = f"name one of the versions that {split} has beside {stable}: {told}"
        raise Invalid(message, errors=[Detail(("version",), message)])
    return Comparison(stable=stable, version=others[0], share=shares[others[0]], requests=1)


def _counted(version: int, figures: Figures) -> ComparedVersion:
    arms = figures.of(version)
    names = ("answered", "failed", "errors", "calls")
    return ComparedVersion(
        version=version,
        **{name: sum(getattr(arm, name) for arm in arms) for name in names},
        p50_ms=_milliseconds(arms, 0.5),
        p95_ms=_milliseconds(arms, 0.95),
    )


def _milliseconds(arms: list[ArmFigures], quantile: float) -> float | None:
    bucket = call_percentile(arms, quantile)
    return None if bucket is None else 1000 * BUCKETS[min(bucket, len(BUCKETS) - 1)]
