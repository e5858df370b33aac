"""Two runs: by which factor each duration changed, with its interval; shorter is to the left.

The rule that surprises: only durations of paired runs are drawn, because only they share a scale; the table has the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gameday.report import words
from gameday.report.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW_IN: Final = 0.32
_TOP_IN: Final = 0.62
_BOTTOM_IN: Final = 0.62
_COLOURS: Final = {"better": style.GREEN, "worse": style.VERMILLION, "same": style.GREY, "unclear": style.BLUE}
_FACTORS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.7, 1.0, 1.5, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


@dataclass(frozen=True, slots=True)
class Factor:
    """A duration: after / before, and the interval of that ratio where there is one."""

    kpi: str
    verdict: str
    value: float
    low: float | None
    high: float | None


def figure(factors: Sequence[Factor]) -> Figure:
    """One line for each duration that was measured on both sides."""
    shown = [factor for factor in factors if factor.value > 0]
    if not shown:
        return style.empty("No duration was measured in both runs.")
    with style.drawing():
        height = _TOP_IN + len(shown) * _ROW_IN + _BOTTOM_IN
        drawn = style.new_figure(height)
        axes = drawn.add_axes((0.29, _BOTTOM_IN / height, 0.67, len(shown) * _ROW_IN / height))
        _draw(axes, shown)
        _legend(drawn, height, {factor.verdict for factor in shown})
    return drawn


def _draw(axes: Axes, factors: Sequence[Factor]) -> None:
    limit = 1.6
    for factor in factors:
        for end in (factor.value, factor.low, factor.high):
            if end is not None and end > 0 and math.isfinite(end):
                limit = max(limit, end * 1.15, 1.15 / end)
    limit = min(limit, 110.0)
    axes.set_xscale("log")
    axes.set_xlim(1 / limit, limit)
    axes.set_ylim(len(factors) - 0.5, -0.5)
    axes.axvline(1.0, color=style.INK, linewidth=1.0)
    for row, factor in enumerate(factors):
        colour = _COLOURS.get(factor.verdict, style.GREY)
        low, high = factor.low or factor.value, factor.high or factor.value
        axes.plot([max(low, 1 / limit), min(high, limit)], [row, row], color=colour, linewidth=3.2, solid_capstyle="butt")
        place = min(max(factor.value, 1 / limit), limit)
        axes.plot([place], [row], "o", color=colour, markersize=8, markeredgecolor="white", clip_on=False)
    axes.set_yticks(range(len(factors)), [words.shortened(factor.kpi, 40) for factor in factors])
    ticks = [tick for tick in _FACTORS if 1 / limit <= tick <= limit]
    if limit > 12:
        ticks = [tick for tick in ticks if tick not in {0.7, 1.5}]
    axes.set_xticks(ticks, [f"x {tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.grid(axis="x", color=style.FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    label = "duration after / duration before: geometric mean over paired replications, 95 % interval (left of 1: shorter)"
    axes.set_xlabel(label, fontsize=style.SMALL_PT, color=style.GREY)


def _legend(drawn: Figure, height_in: float, verdicts: set[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, marker="o", linewidth=3.2, label=verdict)
        for verdict, colour in _COLOURS.items()
        if verdict in verdicts
    ]
    drawn.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.29, 1 - 0.08 / height_in), ncols=4, borderpad=0, borderaxespad=0
    )
