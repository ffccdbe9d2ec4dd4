"""The criteria of a search."""

import json
from typing import Any

import msgspec

from cli.logs.heads import LOG_LEVELS, LogHead, spellings


class Criteria(msgspec.Struct, frozen=True, kw_only=True):
    """All that are given must be met."""

    id: str | None = None
    """Any field of the line is this id."""
    model: str | None = None
    """Name, or ``name:version``."""
    level: str | None = None
    """This level, or a graver one."""
    since: float = float("-inf")
    """Unix seconds, as is `until`."""
    until: float = float("inf")

    def met_by(self, head: LogHead) -> bool:
        """Whether an entry is looked for."""
        return (
            self.since <= head.at <= self.until
            and (self.id is None or self.id in head.fields.values())
            and (self.model is None or _is_of(head.fields, self.model))
            and (self.level is None or _rank(head.fields) >= LOG_LEVELS.index(self.level))
        )

    def needles(self) -> list[tuple[bytes, ...]]:
        """Of each of these, the first line of an entry has one at least: a quick look suffices."""
        name = self.model and self.model.partition(":")[0]
        found = [(json.dumps(text).encode(),) for text in (self.id, name) if text is not None]
        return found + ([spellings(self.level)] if self.level is not None else [])


def _is_of(fields: dict[str, Any], model: str) -> bool:
    name, _, version = model.partition(":")
    return fields.get("model") == name and version in ("", str(fields.get("version")))


def _rank(fields: dict[str, Any]) -> int:
    level = fields.get("level")
    return LOG_LEVELS.index(level) if level in LOG_LEVELS else -1
