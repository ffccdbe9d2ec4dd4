"""Plots of features: the shares of the sample beside those that were found."""

from collections.abc import Sequence
from html import escape
from typing import Any

BAR = 40
"""Characters of the longest bar in the terminal."""
PICTURE_WIDTH, LINE, LEFT, TITLE = 640, 18, 170, 34
"""Pixels: of a picture, a bar, the labels, and the title of a feature."""
_LABEL = 20
Feature = dict[str, Any]


def feature_text(feature: Feature) -> list[str]:
    """Lines for a terminal: ``-`` is the sample's share, ``#`` the one that was found."""
    most = _most(feature)
    lines = [f"{feature['name']}: PSI {feature['psi']:.3f}, bound {feature['bound']:.3f}"]
    for bucket in feature["buckets"]:
        label = bucket["label"][:_LABEL]
        for mark, kind in ("-", "sample"), ("#", "found"):
            bar = mark * round(BAR * bucket[kind] / most)
            lines.append(f"{label:>{_LABEL}} |{bar} {bucket[kind]:.1%}")
            label = ""
    return lines


def feature_svg(features: Sequence[Feature]) -> str:
    """A plot as SVG: the sample is grey, counted rows are blue, and red if they drifted."""
    drawn, height = [], 10
    for feature in features:
        drawn += _drawn(feature, height)
        height += TITLE + 2 * LINE * len(feature["buckets"])
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {PICTURE_WIDTH} {height + 10}"
  font-family="sans-serif" font-size="13">
<rect width="100%" height="100%" fill="white"/>
{chr(10).join(drawn)}
</svg>
"""


def _drawn(feature: Feature, top: int) -> list[str]:
    most, colour = _most(feature), "firebrick" if feature["drifted"] else "steelblue"
    told = f"{feature['name']}: PSI {feature['psi']:.3f}, bound {feature['bound']:.3f}"
    lines = [f'<text x="8" y="{top + 20}" font-weight="bold">{escape(told)}</text>']
    for index, bucket in enumerate(feature["buckets"]):
        y = top + TITLE + 2 * LINE * index
        label = escape(bucket["label"][:_LABEL])
        lines.append(f'<text x="{LEFT - 8}" y="{y + LINE}" text-anchor="end">{label}</text>')
        for offset, kind, fill in (0, "sample", "silver"), (LINE - 3, "found", colour):
            width = (PICTURE_WIDTH - LEFT - 60) * bucket[kind] / most
            where = f'x="{LEFT}" y="{y + offset}" width="{width:.1f}" height="{LINE - 4}"'
            lines.append(f'<rect {where} fill="{fill}"/>')
            where = f'x="{LEFT + width + 6:.1f}" y="{y + offset + 12}" font-size="11"'
            lines.append(f"<text {where}>{bucket[kind]:.1%}</text>")
    return lines


def _most(feature: Feature) -> float:
    shares = [bucket[kind] for bucket in feature["buckets"] for kind in ("sample", "found")]
    return max(shares) or 1.0
