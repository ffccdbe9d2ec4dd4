"""Formats the rows in which served predictions differ from the model's own."""

from typing import Any

from workers.gate.comparing import Difference


def differences_text(reference: str, found: list[Difference]) -> str:
    """The rows that differ, one per line."""
    lines = (_line(difference) for difference in found)
    return "\n".join([f"{reference} would not be served as the model answers by itself:", *lines])


def _line(difference: Difference) -> str:
    where = f"  {difference.door}, row {difference.row}, {difference.method}"
    if difference.refusal:
        return f"{where}: the model gives {_short(difference.own)}; {difference.refusal}"
    blame = f"; column {difference.column!r} is to blame" if difference.column else ""
    own, served = _short(difference.own), _short(difference.served)
    return f"{where}: the model gives {own}, served would be {served}{blame}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
