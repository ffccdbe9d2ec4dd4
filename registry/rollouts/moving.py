"""The moves of a rollout: each one is written to three files, and is finished after a crash."""

from msgspec.structs import replace

from registry.history import Act, Cause, Change, alias_changes, aliases_after, version_change
from registry.rollouts.rollout import Rollout
from registry.splits import Meaning, meaning_of
from registry.storage.directory import Directory, Model

MAX_KEPT = 50
"""Rollouts of a model that are kept; the oldest that has ended goes first."""


def read_rollouts(directory: Directory, name: str) -> list[Rollout]:
    """The rollouts of a model, oldest first."""
    kept: list[Rollout] | None = directory.rollouts(name, list[Rollout])
    return kept or []


def write_rollout(directory: Directory, rollout: Rollout) -> None:
    """Store a rollout, in the place of its earlier state."""
    others = [each for each in read_rollouts(directory, rollout.model) if each.id != rollout.id]
    kept = sorted([*others, rollout], key=lambda each: (not each.is_live, -each.id))[:MAX_KEPT]
    in_order = sorted(kept, key=lambda each: each.id)
    directory.write_rollouts(rollout.model, in_order)


def note(directory: Directory, model: Model, rollout: Rollout, what: str) -> None:
    """Add a change to the history that does not move the alias."""
    cause = Cause(rollout.by, f"rollout {rollout.id} {what}" + _because(rollout.why))
    change = version_change("rollout", rollout.version, cause)
    directory.record(rollout.model, model.aliases, [change])


def finish_move(directory: Directory, model: Model, rollout: Rollout) -> Rollout:
    """Make the move that a rollout has noted, or the rest of it after a crash; returns the rollout.

    The rollout was written before, the alias follows, then the history. If the alias means neither
    what it did nor what it is to mean, it was moved by hand after the crash: the rollout stops.
    """
    name, alias = rollout.model, rollout.alias
    present, target = model.aliases.get(alias), rollout.meaning
    if present not in (rollout.before, target):
        return stop(directory, model, rollout)
    if present != target:
        directory.write_aliases(name, model.aliases | {alias: target})
    if aliases_after(directory.history(name)).get(alias) != target:
        old = model.aliases | {alias: rollout.before}
        directory.record(name, old, _changes(rollout, old))
    done = replace(rollout, moving=False)
    write_rollout(directory, done)
    return done


def _changes(rollout: Rollout, old: dict[str, Meaning]) -> list[Change]:
    what = f"step {rollout.step} of {len(rollout.steps)}"
    told = rollout.status.replace("_", " ") if rollout.is_undone else what
    cause = Cause(rollout.by, f"rollout {rollout.id}, {told}" + _because(rollout.why))
    act: Act = "rollback" if rollout.is_undone else "alias"
    return alias_changes(old, old | {rollout.alias: rollout.meaning}, cause, act)


def stop(directory: Directory, model: Model, rollout: Rollout) -> Rollout:
    """End a rollout whose alias was moved by hand, or whose candidate was removed.

    The alias stays as it is.
    """
    stopped = replace(
        rollout,
        status="stopped",
        moving=False,
        revision=rollout.revision + 1,
        by="",
        why=_why_stopped(model, rollout),
    )
    write_rollout(directory, stopped)
    note(directory, model, stopped, "stopped")
    return stopped


def _why_stopped(model: Model, rollout: Rollout) -> str:
    name, present = rollout.model, model.aliases.get(rollout.alias)
    if rollout.version not in model.versions:
        return f"{name}:{rollout.version} was removed"
    means = "was deleted" if present is None else f"means {meaning_of(name, present)}"
    return f"{name}@{rollout.alias} was moved by hand: it {means}"


def _because(why: str) -> str:
    return f": {why}" if why else ""
