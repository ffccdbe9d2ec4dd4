"""Plots of a run: throughput beside the baselines, latencies by rate."""

from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.harness.results import Bar, Curve, Run

# Makes the file reproducible.
mpl.rcParams["svg.hashsalt"] = "predictq"
mpl.rcParams["axes.spines.top"] = mpl.rcParams["axes.spines.right"] = False
COLORS = {"naive": "#9aa0a6", "hand-written": "#c58af9"}
OURS = "#1a73e8"


def draw(run: Run, directory: Path) -> list[Path]:
    """Write an SVG for each part that has a plot."""
    return [_save(name, figure, directory) for name, figure in _figures(run)]


def _figures(run: Run) -> Iterator[tuple[str, Figure]]:
    for part in run.parts:
        if part.bars:
            yield part.name, _rates(part.bars)
        if part.curves:
            yield part.name, _latencies(part.curves)


def _rates(bars: list[Bar]) -> Figure:
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.subplots()
    for bar in reversed(bars):
        spread = bar.rates
        error = [[spread.median - spread.least], [spread.greatest - spread.median]]
        drawn = axes.barh(bar.name, spread.median, color=_color(bar.name), xerr=error)
        axes.bar_label(drawn, fmt="{:,.0f}", padding=6)
    axes.set_xlabel("predictions a second, submission to stored result (median, range)")
    return figure


def _latencies(curves: list[Curve]) -> Figure:
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    for curve in curves:
        color = _color(curve.name)
        axes.plot(curve.rates, curve.p50, "o-", color=color, label=f"{curve.name}, p50")
        axes.plot(curve.rates, curve.p99, "o--", color=color, label=f"{curve.name}, p99")
    axes.set(xscale="log", yscale="log", xlabel="requests a second", ylabel="milliseconds")
    axes.legend(frameon=False)
    return figure


def _color(name: str) -> str:
    return COLORS.get(name.partition(",")[0], OURS)


def _save(name: str, figure: Figure, directory: Path) -> Path:
    path = directory / f"{name}.svg"
    figure.savefig(path, metadata={"Date": None})
    return path
