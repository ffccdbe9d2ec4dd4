"""The history of a model: every change of its versions and aliases, in order."""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from registry.deployments.deployment import Deployment
from registry.readiness import now
from registry.splits import Meaning

Act = Literal[
    "registered",
    "ready",
    "refused",
    "alias",
    "rollback",
    "removed",
    "rollout",
    "deployed",
    "scaled",
    "stopped",
    "started",
    "undeployed",
    "shadowed",
    "unshadowed",
    "dropped",
]
MAX_CHANGES = 10_000
"""Changes of a model that are kept; beyond them the older half is dropped."""
UNRECORDED = "found: it was changed without a record"
"""Reason of a change that was made before there was a history, or just before a crash."""


class Cause(msgspec.Struct, frozen=True):
    """The author of a change, and the reason."""

    by: str = ""
    why: str = ""


NO_CAUSE = Cause()


class Change(msgspec.Struct, frozen=True, kw_only=True, rename={"before": "from", "after": "to"}):
    """One change of a model."""

    time: str
    """RFC 3339, UTC."""
    act: Act
    """`alias` is any move or deletion of an alias but a `rollback`. `rollout` is what became of a
    rollout without a move: it was started, paused, resumed or stopped."""
    version: int | None = None
    """The version that was registered, became ready, was refused or removed, or is rolled out."""
    alias: str | None = None
    before: Meaning | None = None
    """The version that the alias meant before, or the percent of each version of a split; null if
    there was no such alias."""
    after: Meaning | None = None
    """What the alias means since then; null if it was deleted."""
    deployment: Deployment | UnsetType | None = UNSET
    """The deployment that was made, changed or deleted, as it was afterwards, or at its end."""
    by: str = ""
    """The author of the change, as the program that asked for it says."""
    why: str = ""
    dropped: int | UnsetType = UNSET
    """Of the act `dropped`, which then is the first: how many changes there were until then."""
    meant: dict[str, Meaning] | UnsetType = UNSET
    """The meaning of each alias after these changes."""


def version_change(act: Act, version: int, cause: Cause) -> Change:
    """A change of a version, at this moment."""
    return Change(time=now(), act=act, version=version, by=cause.by, why=cause.why)


def alias_changes(
    before: dict[str, Meaning], after: dict[str, Meaning], cause: Cause, act: Act = "alias"
) -> list[Change]:
    """The changes, at this moment, between two states of all aliases."""
    moved = sorted(a for a in before | after if before.get(a) != after.get(a))
    return [
        Change(
            time=now(),
            act=act,
            alias=alias,
            before=before.get(alias),
            after=after.get(alias),
            by=cause.by,
            why=cause.why,
        )
        for alias in moved
    ]


def deployment_change(before: Deployment | None, after: Deployment, cause: Cause) -> Change:
    """A change of a deployment, at this moment."""
    act: Act = "scaled"
    if before is None:
        act = "deployed"
    elif before.state != after.state:
        act = "started" if after.state == "running" else "stopped"
    return Change(time=now(), act=act, deployment=after, by=cause.by, why=cause.why)


def undeployed(deployment: Deployment, cause: Cause) -> Change:
    """The end of a deployment, at this moment."""
    return Change(time=now(), act="undeployed", deployment=deployment, by=cause.by, why=cause.why)


def unrecorded(history: Iterable[Change], aliases: dict[str, Meaning]) -> list[Change]:
    """The changes that led from the end of a history to the aliases that there are."""
    return alias_changes(aliases_after(history), aliases, Cause(why=UNRECORDED))


def shortened(history: list[Change]) -> list[Change]:
    """A history that is too long, without its older half; one entry has the aliases that resulted
    from it.
    """
    if len(history) <= MAX_CHANGES:
        return history
    gone, kept = history[: -MAX_CHANGES // 2], history[-MAX_CHANGES // 2 :]
    until, many = gone[-1].time, first_number(history) + len(gone) - 1
    led = Change(time=until, act="dropped", dropped=many, meant=aliases_after(gone))
    return [led, *kept]


def first_number(history: Sequence[Change]) -> int:
    """The number of the first entry; changes are counted from 1, those that were dropped, too."""
    return (history[0].dropped or 1) if history else 1


def aliases_after(history: Iterable[Change]) -> dict[str, Meaning]:
    """What each alias means after these changes."""
    found: dict[str, Meaning] = {}
    for change in history:
        if change.meant:
            found = dict(change.meant)
        if change.alias is not None:
            found.pop(change.alias, None)
            if change.after is not None:
                found[change.alias] = change.after
    return dict(sorted(found.items()))


def earlier_meanings(history: Iterable[Change], alias: str) -> list[Meaning]:
    """What an alias meant, the latest first, for a rollback.

    A rollback undoes the changes after the state to which it returned, so a second rollback goes
    further back.
    """
    meant: list[Meaning] = []
    for change in history:
        if change.meant and alias in change.meant:
            meant.append(change.meant[alias])
        if change.alias != alias or change.after is None:
            continue
        if change.act == "rollback" and change.after in meant:
            while meant[-1] != change.after:
                meant.pop()
        elif meant[-1:] != [change.after]:
            meant.append(change.after)
    return meant[::-1]
