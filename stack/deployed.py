"""Keeps a worker running for each deployment of the registry that is not stopped.

The registry has the wanted state, and each turn brings the processes closer to it. So it does not
matter when this process, or another one, was killed: the next turn goes on from what there is.
"""

import time
from collections.abc import Callable

import msgspec

from registry.deployments.deployment import Deployment
from registry.store import Registry
from stack.process import Process, Program
from stack.supervisor import REPLACE_TIMEOUT, Supervisor
from telemetry.errors import PredictqError


class _Relieved(msgspec.Struct, frozen=True):
    """A worker that ends once another one, with other limits, works in its place."""

    process: Process
    name: str
    deadline: float


class DeployedWorkers:
    """The workers of the deployments of one registry, under a supervisor."""

    def __init__(
        self,
        supervisor: Supervisor,
        registry: Registry,
        program: Callable[[Deployment], Program],
        tell: Callable[[str], None],
    ) -> None:
        """``program``: the worker of a deployment."""
        self._supervisor, self._registry = supervisor, registry
        self._program, self._tell = program, tell
        self._relieved: list[_Relieved] = []
        self._fault = ""

    def tend(self) -> None:
        """Start missing workers, end those that are not wanted, and replace those with other
        limits.
        """
        wanted = self._wanted()
        if wanted is None:
            return
        for name, process in self._supervisor.added.items():
            if name not in wanted:
                self._tell(f"{name} stops")
                self._supervisor.set_aside(process)
                self._supervisor.retire(process)
            elif process.program != wanted[name]:
                # Set aside so that its successor can have its name. It works until that one does.
                self._supervisor.set_aside(process)
                deadline = time.monotonic() + REPLACE_TIMEOUT
                self._relieved.append(_Relieved(process, name, deadline))
        for name, program in wanted.items():
            if name not in self._supervisor.added:
                self._tell(f"{name} starts")
                self._supervisor.add(program)
        self._relieve()

    def _wanted(self) -> dict[str, Program] | None:
        """The workers that should run, by name; None if the registry cannot be read."""
        try:
            programs = [
                self._program(deployment)
                for deployment in self._registry.deployments()
                if deployment.state == "running"
            ]
        except (PredictqError, OSError) as error:
            # Told once, as this runs several times a second.
            if str(error) != self._fault:
                self._fault = str(error)
                self._tell(f"the deployments cannot be read: {error}")
            return None
        self._fault = ""
        return {program.name: program for program in programs}

    def _relieve(self) -> None:
        for each in [*self._relieved]:
            now = self._supervisor.added.get(each.name)
            # Without a successor, the deployment was stopped or deleted meanwhile.
            works = now is None or (now.program.relieves and now.program.relieves(now.group))
            if works or time.monotonic() > each.deadline:
                self._relieved.remove(each)
                self._supervisor.retire(each.process)
