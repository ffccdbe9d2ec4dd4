"""Registrations: uploaded files that become versions once a worker's gate has accepted them.

Each is a directory until its gate has decided; then the decision stays beside the versions.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from registry.history import Cause, version_change
from registry.names import checked_name, parse_reference
from registry.readiness import now
from registry.registrations.request import GateDecision, IdempotentUse, RegistrationRequest
from registry.storage.files import (
    is_locked,
    make_directory,
    remove_file,
    sync_directory,
    write_file,
)
from registry.store import Registry
from registry.versions import next_version
from telemetry.errors import Busy, IdempotencyConflict, RegistryConflict

MAX_PENDING = 1000
"""Registrations that may wait for their gate; further ones are refused."""
STAGING_SECONDS = 3600.0
"""Seconds after which an upload that became no registration is deleted."""
KEY_SECONDS = 24 * 3600.0
"""Seconds for which an idempotency key is known."""
WITHDRAWN = "withdrawn"
"""Code of the decision on a registration that was deleted before its gate had decided."""
REQUEST, MODEL, ATTEMPTS_FILE, CLAIM = "request.json", "model", "attempts", "claim"


class Registrations:
    """The registrations of a home; any number of processes may use them concurrently."""

    def __init__(self, registry: Registry) -> None:
        self._files, self._root = registry.directory, registry.home / "registrations"

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A directory for files that are being received; it is removed unless it is accepted."""
        directory = self._root / "staging" / uuid4().hex
        make_directory(directory)
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def accept(
        self,
        staging: Path,
        request: RegistrationRequest,
        version: int | None,
        use: IdempotentUse | None,
    ) -> RegistrationRequest:
        """Give a registration its number; from here on it outlives every process.

        ``version``: the number that is wanted, by default the next one. The same ``use`` gives the
        registration that it gave before. Raises `RegistryConflict` if the number is taken,
        `IdempotencyConflict`, and `Busy` if too many wait.
        """
        name = checked_name(request.model)
        with self._files.writing():
            if use and (known := self._known(use)):
                return replace(request, version=known)
            if sum(1 for _ in self.pending()) >= MAX_PENDING:
                raise Busy("too many uploaded models are waiting for their gate; try again later")
            number = self._reserved(name, version)
            accepted = replace(request, version=number, created_at=now())
            write_file(staging / REQUEST, msgspec.json.encode(accepted))
            if use:
                self._remember(use, accepted)
            staging.rename(self.directory(accepted.reference))
            sync_directory(self._root)
        return accepted

    def directory(self, reference: str) -> Path:
        """Where the files of a pending registration are."""
        return self._root / reference

    def request(self, reference: str) -> RegistrationRequest | None:
        """The request of a pending registration; None if there is none."""
        try:
            content = (self.directory(reference) / REQUEST).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return msgspec.json.decode(content, type=RegistrationRequest)

    def decision(self, name: str, number: int) -> GateDecision | None:
        """The decision on a registration; None while it is pending, or if there never was one."""
        return self._files.decision(name, number, GateDecision)

    def pending(self) -> Iterator[str]:
        """The references of pending registrations."""
        with suppress(FileNotFoundError), os.scandir(self._root) as entries:
            yield from (entry.name for entry in entries if ":" in entry.name)

    def is_claimed(self, reference: str) -> bool:
        """Whether a process checks this registration now."""
        return is_locked(self.directory(reference) / CLAIM)

    def begin_attempt(self, reference: str) -> int:
        """Count an attempt of the gate, from 1; the caller has claimed the registration."""
        path = self.directory(reference) / ATTEMPTS_FILE
        attempt = int(path.read_bytes()) + 1 if path.exists() else 1
        write_file(path, b"%d" % attempt)
        return attempt

    def uncount_attempt(self, reference: str) -> None:
        """Take back an attempt that was ended before its time, through no fault of the model."""
        path = self.directory(reference) / ATTEMPTS_FILE
        write_file(path, b"%d" % max(int(path.read_bytes()) - 1, 0))

    def decide(self, request: RegistrationRequest, decision: GateDecision) -> None:
        """Keep the decision and delete the files; the first decision is final."""
        name, number = request.model, request.version
        with self._files.writing():
            if self.decision(name, number) is None:
                self._files.write_decision(name, number, replace(decision, decided_at=now()))
                if decision.status == "refused":
                    told = Cause(request.cause.by, decision.reason)
                    aliases = self._files.read(name).aliases
                    self._files.record(name, aliases, [version_change("refused", number, told)])
        self.delete(request.reference)

    def withdraw(self, name: str, number: int, by: str) -> bool:
        """Decide that a pending registration becomes no version; returns whether there was one.

        A process that checks it meanwhile finds the decision when it registers the version.
        """
        with self._files.writing():
            is_pending = self.request(f"{name}:{number}") is not None
            if not is_pending or self.decision(name, number) is not None:
                return False
            told = GateDecision(status="refused", code=WITHDRAWN, reason=f"withdrawn by {by}")
            self._files.write_decision(name, number, replace(told, decided_at=now()))
        return self.delete(f"{name}:{number}")

    def withdraw_all(self, name: str, by: str) -> list[int]:
        """`withdraw` each pending registration of a model; returns their numbers."""
        references = map(parse_reference, list(self.pending()))
        numbers = [found.version for found in references if found.name == name and found.version]
        return [number for number in numbers if self.withdraw(name, number, by)]

    def delete(self, reference: str) -> bool:
        """Delete the files of a registration; returns whether there were any."""
        directory = self.directory(reference)
        gone = self._root / "staging" / uuid4().hex
        make_directory(gone.parent)
        try:
            # Renamed first: a file that is opened there meanwhile must not keep the directory.
            directory.rename(gone)
        except FileNotFoundError:
            return False
        shutil.rmtree(gone, ignore_errors=True)
        return True

    def sweep(self) -> None:
        """Delete uploads that became no registration, and keys that are no longer known."""
        for kind, seconds in (("staging", STAGING_SECONDS), ("keys", KEY_SECONDS)):
            for path in (self._root / kind).glob("*"):
                with suppress(FileNotFoundError):
                    if time.time() - _written(path) > seconds:
                        shutil.rmtree(path) if path.is_dir() else remove_file(path)

    def _reserved(self, name: str, version: int | None) -> int:
        model = self._files.read(name)
        number = version or next_version(self._files, name, model)
        was_removed = self._files.removed(name, number) is not None
        if number in model.versions or was_removed or self._is_taken(name, number):
            raise RegistryConflict(f"{name}:{number} was used before; choose another number")
        self._files.write_highest(name, number)
        return number

    def _is_taken(self, name: str, number: int) -> bool:
        is_pending = self.directory(f"{name}:{number}").exists()
        return is_pending or self.decision(name, number) is not None

    def _known(self, use: IdempotentUse) -> int | None:
        """The version of an earlier request with this key; raises `IdempotencyConflict`."""
        try:
            payload, reference = self._key_file(use).read_text().split()
        except FileNotFoundError:
            return None
        if payload != use.payload:
            raise IdempotencyConflict
        found = parse_reference(reference)
        number = found.version or 0
        # A crash may have come between the key and the registration.
        return number if self._is_taken(found.name, number) else None

    def _remember(self, use: IdempotentUse, accepted: RegistrationRequest) -> None:
        write_file(self._key_file(use), f"{use.payload} {accepted.reference}".encode())

    def _key_file(self, use: IdempotentUse) -> Path:
        return self._root / "keys" / use.key


def _written(path: Path) -> float:
    """When a file, or any file in a directory, was written last."""
    files = [*path.iterdir()] if path.is_dir() else []
    return max(each.stat().st_mtime for each in (path, *files))
