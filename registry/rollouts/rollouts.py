"""Starts, continues and ends rollouts; each change holds the registry's write lock."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from msgspec.structs import asdict, replace

from registry.history import NO_CAUSE, Cause
from registry.names import checked_name
from registry.rollouts.moving import finish_move, note, read_rollouts, stop, write_rollout
from registry.rollouts.rollout import Rollout, RolloutPlan
from registry.splits import meaning_of
from registry.storage.directory import Directory, Model
from registry.store import Registry
from registry.versions import check_ready, meaning_of_alias, version_of
from telemetry.errors import NotFound, PredictqError, RegistryConflict


class Rollouts:
    """The rollouts of a registry. Any process may change them: the write lock lets in one."""

    def __init__(self, registry: Registry, clock: Callable[[], float] = time.time) -> None:
        self._registry, self._clock = registry, clock

    def all(self, name: str) -> list[Rollout]:
        """The rollouts of a model, newest first; raises `ModelNotFound`."""
        self._registry.versions(name)
        return read_rollouts(self._registry.directory, name)[::-1]

    def find(self, name: str, id: int) -> Rollout:
        """One rollout; raises `NotFound`."""
        return _one(name, self.all(name), id)

    def live(self, name: str, alias: str) -> Rollout:
        """The rollout that moves an alias now; raises `NotFound`."""
        for rollout in self.all(name):
            if rollout.alias == alias and rollout.is_live:
                return rollout
        raise NotFound(f"there is no rollout of {name}@{alias} now")

    def unfinished(self) -> list[Rollout]:
        """Every rollout that is running, or whose last move may be unfinished."""
        found = []
        for name in self._registry.models():
            with suppress(PredictqError):  # a broken file, or a model that was just removed
                found += [each for each in self.all(name) if each.is_live or each.moving]
        return found

    def start(
        self, name: str, plan: RolloutPlan, *, again: bool = False, cause: Cause = NO_CAUSE
    ) -> Rollout:
        """Begin a rollout; its first step follows as soon as a controller sees it.

        ``again``: also if the version was rolled back under this alias. Raises `RegistryConflict`,
        `VersionNotReady`, `AliasNotFound`.
        """
        checked_name(plan.alias, "alias")
        with self._registry.writing(name) as (directory, model):
            version_of(name, model, plan.version)
            check_ready(name, plan.version, model.readiness(plan.version))
            known = read_rollouts(directory, name)
            rollout = Rollout(
                **asdict(plan),
                model=name,
                id=max((each.id for each in known), default=0) + 1,
                stable=_stable(name, model, plan),
                before=plan.version,
                since=self._clock(),
                by=cause.by,
                why=cause.why,
            )
            _refuse_second(known, rollout, again=again)
            write_rollout(directory, rollout := replace(rollout, before=rollout.stable))
            note(directory, model, rollout, f"started in steps of {_steps(rollout)}")
        return rollout

    def pause(self, name: str, id: int, cause: Cause = NO_CAUSE) -> Rollout:
        """Begin no further step until it is resumed; the alias does not change."""
        return self._switch(name, id, "running", "paused", cause)

    def resume(self, name: str, id: int, cause: Cause = NO_CAUSE) -> Rollout:
        """Continue after a pause; the present step begins anew."""
        return self._switch(name, id, "paused", "running", cause)

    def abort(self, name: str, id: int, cause: Cause = NO_CAUSE) -> Rollout:
        """End it; the alias means the stable version again."""
        with self._changing(name, id) as (directory, model, rollout):
            if not rollout.is_live:
                raise RegistryConflict(f"rollout {id} of {name} is {rollout.status}: {rollout.why}")
            return self._move(directory, model, rollout, cause, status="aborted")

    def settle(self, rollout: Rollout) -> Rollout:
        """Finish a move that a crash interrupted, and stop it if its alias was moved by hand."""
        with self._changing(rollout.model, rollout.id) as (_, _, found):
            return found

    def advance(self, rollout: Rollout, cause: Cause) -> Rollout:
        """Begin the next step, unless the rollout was changed since it was read."""
        with self._changing(rollout.model, rollout.id) as (directory, model, found):
            if found.revision != rollout.revision or found.status != "running":
                return found
            check_ready(found.model, found.version, model.readiness(found.version))
            step = found.step + 1
            status = "completed" if step == len(found.steps) else "running"
            return self._move(directory, model, found, cause, step=step, status=status)

    def roll_back(self, rollout: Rollout, cause: Cause) -> Rollout:
        """End it because of a verdict, unless it was changed since it was read."""
        with self._changing(rollout.model, rollout.id) as (directory, model, found):
            if found.revision != rollout.revision or not found.is_live:
                return found
            return self._move(directory, model, found, cause, status="rolled_back")

    def _switch(self, name: str, id: int, before: str, after: str, cause: Cause) -> Rollout:
        with self._changing(name, id) as (directory, model, rollout):
            if rollout.status == after:  # an earlier attempt of this request
                return rollout
            if rollout.status != before:
                raise RegistryConflict(f"rollout {id} of {name} is {rollout.status}: {rollout.why}")
            changed = rollout.changed(self._clock(), cause, status=after)
            write_rollout(directory, changed := replace(changed, moving=False))
            note(directory, model, changed, "paused" if after == "paused" else "resumed")
            return changed

    def _move(
        self, directory: Directory, model: Model, rollout: Rollout, cause: Cause, **fields: object
    ) -> Rollout:
        changed = rollout.changed(self._clock(), cause, **fields)
        write_rollout(directory, changed)
        if changed.before == changed.meaning:  # undone before its first step
            note(directory, model, changed, changed.status)
        return finish_move(directory, model, changed)

    @contextmanager
    def _changing(self, name: str, id: int) -> Iterator[tuple[Directory, Model, Rollout]]:
        """Hold the write lock, and yield a rollout whose alias means what it says."""
        with self._registry.writing(name) as (directory, model):
            rollout = _settled(directory, model, _one(name, read_rollouts(directory, name), id))
            yield directory, directory.read(name), rollout


def _settled(directory: Directory, model: Model, rollout: Rollout) -> Rollout:
    if rollout.moving:
        return finish_move(directory, model, rollout)
    moved = model.aliases.get(rollout.alias) != rollout.meaning
    if rollout.is_live and (moved or rollout.version not in model.versions):
        return stop(directory, model, rollout)
    return rollout


def _one(name: str, known: list[Rollout], id: int) -> Rollout:
    for rollout in known:
        if rollout.id == id:
            return rollout
    raise NotFound(f"there is no rollout {id} of the model {name!r}")


def _stable(name: str, model: Model, plan: RolloutPlan) -> int:
    meaning = meaning_of_alias(name, model, plan.alias)
    if not isinstance(meaning, int):
        means = meaning_of(name, meaning)
        raise RegistryConflict(
            f"{name}@{plan.alias} is split ({means}): point it to one version first"
        )
    if meaning == plan.version:
        raise RegistryConflict(f"{name}@{plan.alias} means {name}:{meaning} already")
    return meaning


def _refuse_second(known: list[Rollout], wanted: Rollout, *, again: bool) -> None:
    same = [each for each in known if each.alias == wanted.alias]
    if live := [each for each in same if each.is_live]:
        raise RegistryConflict(
            f"rollout {live[0].id} moves {wanted.model}@{wanted.alias} to version "
            f"{live[0].version} now: abort it first"
        )
    undone = [e for e in same if e.version == wanted.version and e.status == "rolled_back"]
    if undone and not again:
        raise RegistryConflict(
            f"rollout {undone[-1].id} of {wanted.model}:{wanted.version} was rolled back "
            f"({undone[-1].why}): ask for it again explicitly, with `again`"
        )


def _steps(rollout: Rollout) -> str:
    shares = ", ".join(map(str, rollout.steps))
    return f"{shares} % of {rollout.alias}, each for {rollout.every_seconds:g} s"
