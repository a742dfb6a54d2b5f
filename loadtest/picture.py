"""The run as one picture: what a caller waits for, straight and through the gateway, and what the gateway adds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtest.reading import Sample
from loadtest.report import LIMIT_MS, Quantiles, Summary, first_tokens_of, gaps_of

STRAIGHT, GATEWAY, OWN, LIMIT = "#8a94a6", "#0b6e99", "#e0912f", "#b3261e"
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "svg.hashsalt": "steelyard",  # equal runs make equal files
}


def draw(summary: Summary, straight: Sequence[Sample], gateway: Sequence[Sample], path: Path) -> None:
    """Write the picture to `path`; its suffix names the format."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(12, 4.4), layout="constrained")
        first, added, between = figure.subplots(1, 3, width_ratios=[1, 1.15, 1])
        spread(first, "Time to the first token of a stream", first_tokens_of(straight), first_tokens_of(gateway))
        bars(added, summary)
        spread(between, "Time between two chunks of a stream", gaps_of(straight), gaps_of(gateway))
        figure.suptitle(headline(summary), x=0.01, ha="left", fontsize=10, color="#333333")
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)


def headline(summary: Summary) -> str:
    gateway, cost = summary.gateway, summary.cost
    return (
        f"{gateway.requests:,} requests ({gateway.streams:,} streams, {gateway.chunks:,} chunks), "
        f"{gateway.failures + summary.straight.failures} failed  ·  gateway: {cost.cpu_micros_per_request:,.0f} µs CPU "
        f"per request, {cost.resident_mib:.0f} MiB resident, starts in {cost.start_seconds:.2f} s"
    )


def spread(axes: Axes, title: str, straight: list[float], gateway: list[float]) -> None:
    """The share of cases that took at most so long."""
    for values, color, name, width in ((straight, STRAIGHT, "straight", 3.0), (gateway, GATEWAY, "gateway", 1.4)):
        ordered = np.sort(np.asarray(values))
        axes.plot(ordered, np.linspace(0, 100, len(ordered)), color=color, label=name, linewidth=width)
    everything = np.asarray([*straight, *gateway])
    if len(everything):  # a handful of outliers must not squeeze the rest
        low, high = np.quantile(everything, [0.001, 0.998])
        axes.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    axes.set(title=title, xlabel="milliseconds", ylabel="% of all, at most so long", ylim=(0, 101))
    axes.legend(loc="lower right")


def bars(axes: Axes, summary: Summary) -> None:
    """Added milliseconds at three quantiles, in three views."""
    views: list[tuple[str, Quantiles, str]] = [
        ("first token", summary.added_first_token, GATEWAY),
        ("whole answer", summary.added_total, STRAIGHT),
        ("gateway's own account", summary.overhead, OWN),
    ]
    width = 0.27
    for row, (name, added, color) in enumerate(views):
        heights = [added.p50, added.p95, added.p99]
        drawn = axes.bar(np.arange(3) + (row - 1) * width, heights, width * 0.92, label=name, color=color)
        axes.bar_label(drawn, fmt="%.2f", padding=2, fontsize=8, color="#333333")
    figures = [figure for _, added, _ in views for figure in (added.p50, added.p95, added.p99)]
    bottom, top = float(np.nanmin([*figures, 0.0])), float(np.nanmax([*figures, 1.0]))
    axes.set_ylim(bottom * 1.15, top * 1.4)  # room for the legend
    axes.axhline(0, color="#666666", linewidth=0.8)
    if top > LIMIT_MS:
        axes.axhline(LIMIT_MS, color=LIMIT, linestyle="--", linewidth=1)
    axes.set_xticks(np.arange(3), ["p50", "p95", "p99"])
    axes.grid(visible=False, axis="x")
    axes.set(title=f"Added by the gateway (limit: {LIMIT_MS:.0f} ms at p99)", ylabel="milliseconds")
    axes.legend(loc="upper left")
