"""Plots of evidence against predictions, on a logarithmic scale: as text, and as SVG."""

import math
from collections.abc import Sequence

Path = Sequence[Sequence[float]]
"""Predictions of the candidate, and the evidence of harm then."""
HARM = "evidence of harm"
WIDTH, HEIGHT = 60, 10
"""Size of a plot in the terminal, in characters."""
SVG_WIDTH, SVG_HEIGHT, MARGIN = 640, 320, 48
_LOWEST = 1e-3


def as_text(path: Path, decisive: float, what: str = HARM, of: str = "predictions") -> list[str]:
    """Lines for a terminal: ``*`` is the evidence, ``-`` is where it is decisive."""
    positions = _scaled(path, decisive)
    line = round(_height(decisive, path, decisive) * (HEIGHT - 1))
    rows = [["-" if row == line else " "] * WIDTH for row in range(HEIGHT)]
    for x, y in positions:
        rows[round(y * (HEIGHT - 1))][round(x * (WIDTH - 1))] = "*"
    drawn = ["".join(row).rstrip() for row in reversed(rows)]
    last = path[-1]
    return [
        f"{what}, decisive at {decisive:.0f}",
        *(f"|{each}" for each in drawn),
        f"+{'-' * WIDTH}",
        f" {last[0]:.0f} {of}, evidence {last[1]:.3g}",
    ]


def as_svg(path: Path, decisive: float, what: str = HARM) -> str:
    """A plot as SVG, with the evidence as a line and its decisive bound."""
    points = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in _scaled(path, decisive))
    bound = _y(_height(decisive, path, decisive))
    most = max((point[0] for point in path), default=0)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SVG_WIDTH} {SVG_HEIGHT}"
  font-family="sans-serif" font-size="13">
<rect width="100%" height="100%" fill="white"/>
<line x1="{MARGIN}" x2="{SVG_WIDTH}" y1="{bound:.1f}" y2="{bound:.1f}" stroke="firebrick"
  stroke-dasharray="6 4"/>
<text x="{MARGIN + 4}" y="{bound - 6:.1f}" fill="firebrick">decisive: {decisive:.0f}</text>
<polyline points="{points}" fill="none" stroke="steelblue" stroke-width="2"/>
<text x="{MARGIN}" y="{SVG_HEIGHT - 12}">0</text>
<text x="{SVG_WIDTH - 8}" y="{SVG_HEIGHT - 12}" text-anchor="end">{most:.0f} predictions</text>
<text x="12" y="20">{what}</text>
</svg>
"""


def _scaled(path: Path, decisive: float) -> list[tuple[float, float]]:
    """The points in a square of 1."""
    most = max((point[0] for point in path), default=0) or 1
    return [(answered / most, _height(found, path, decisive)) for answered, found in path]


def _height(evidence: float, path: Path, decisive: float) -> float:
    lowest = max(min((point[1] for point in path), default=1.0), _LOWEST)
    highest = max([*(point[1] for point in path), decisive])
    low, high = math.log(min(lowest, 1.0)), math.log(highest)
    return (math.log(max(evidence, lowest)) - low) / (high - low)


def _x(share: float) -> float:
    return MARGIN + share * (SVG_WIDTH - MARGIN - 8)


def _y(share: float) -> float:
    return SVG_HEIGHT - MARGIN - share * (SVG_HEIGHT - 2 * MARGIN)
