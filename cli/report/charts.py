"""ChartLine charts as SVG, whose colours are those of the page."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import pairwise
from math import floor, log10
from statistics import median

import msgspec
from markupsafe import Markup

_WIDTH, _HEIGHT = 480, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 10, 10, 24
"""Pixels beside the plot."""
_TICKS = 4
"""Lines across the plot above zero."""
_TIMES = 5
"""Labels of time, at most."""
LONG_STEPS = 2.5
"""Times the usual step, from which on a step is a gap."""
_DAY = 86_400.0


class ChartLine(msgspec.Struct, frozen=True):
    """A line of a chart: its name, and a value for each time; None leaves a gap."""

    name: str
    values: Sequence[float | None]


def chart(
    what: str, times: Sequence[float], lines: Sequence[ChartLine], text: Callable[[float], str]
) -> Markup:
    """Draw lines over time. ``times``: Unix seconds in order. ``text``: writes a value."""
    broken = _broken(times)
    highest = nice(max((v for line in lines for v in line.values if v is not None), default=0.0))
    first, span = times[0], (times[-1] - times[0]) or 1.0

    def spot(at: float, value: float) -> str:
        x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * (at - first) / span
        return f"{x:.1f},{_height(value / highest):.1f}"

    drawn = []
    for number, line in enumerate(lines):
        spots = [
            (None if value is None else spot(at, value), at in broken)
            for at, value in zip(times, line.values, strict=True)
        ]
        drawn.append(f'<path class="line l{number}" d="{_path(spots)}"/>')
    grid = [_grid(highest * step / _TICKS, step / _TICKS, text) for step in range(_TICKS + 1)]
    marks = [_time(first + span * step / (_TIMES - 1), step, span) for step in range(_TIMES)]
    return Markup(  # noqa: S704 - numbers, and texts that are escaped
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"><title>{escape(what)}</title>'
        + "".join([*grid, *marks, *drawn])
        + "</svg>"
    )


def nice(highest: float) -> float:
    """The end of an axis: 1, 2, 4 or 8 times a power of ten."""
    if highest <= 0:
        return 1.0
    power = 10.0 ** floor(log10(highest))
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= highest * 0.999)


def _broken(times: Sequence[float]) -> set[float]:
    """Times before which nothing is known for long: no line leads to them."""
    steps = [after - before for before, after in pairwise(times)]
    longest = LONG_STEPS * median(steps) if steps else 0.0
    return {after for after, step in zip(times[1:], steps, strict=True) if step > longest}


def _path(spots: Sequence[tuple[str | None, bool]]) -> str:
    """A line through spots, with gaps: without a value, and before one that is true."""
    path, is_open = "", False
    for spot, is_broken in spots:
        if spot is not None:
            path += f"L{spot}" if is_open and not is_broken else f"M{spot}h.1"
        is_open = spot is not None
    return path


def _height(share: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share


def _grid(value: float, share: float, text: Callable[[float], str]) -> str:
    y = _height(share)
    line = f'<path class="grid" d="M{_LEFT},{y:.1f}H{_WIDTH - _RIGHT}"/>'
    label = escape(text(value))
    return f'{line}<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'


def _time(at: float, step: int, span: float) -> str:
    x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * step / (_TIMES - 1)
    anchor = "start" if step == 0 else "end" if step == _TIMES - 1 else "middle"
    form = "%H:%M" if span <= _DAY else "%d %b %H:%M"
    label = datetime.fromtimestamp(at, UTC).strftime(form)
    return f'<text x="{x:.1f}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{label}</text>'
