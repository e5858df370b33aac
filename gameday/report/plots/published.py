"""A real incident beside its simulation: the published time of each milestone, and the range in which the simulated ones lie.

The rule that surprises: times are from the start of impact, on a logarithmic scale, because a public incident has milestones of
minutes and of hours; a simulated p90 that was never reached is drawn as an arrow that leaves the picture.
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

_ROW_IN: Final = 0.42
_TOP_IN: Final = 0.5
_BOTTOM_IN: Final = 0.6
_STEPS_S: Final = (1, 5, 15, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 259_200, 604_800)


@dataclass(frozen=True, slots=True)
class Milestone:
    """One milestone; seconds from the start of impact. Infinite is "never", None "not known"."""

    name: str
    published_s: float
    p10_s: float | None
    p50_s: float | None
    p90_s: float | None
    watched_s: float | None = None
    """How long the simulation was watched for what never happened; None when it always happened."""

    @property
    def within(self) -> bool | None:
        """Whether the published time lies between the simulated p10 and p90; None when that cannot be told."""
        if self.p10_s is None or self.p90_s is None or self._ends_too_early:
            return None
        return self.p10_s <= self.published_s <= self.p90_s

    @property
    def _ends_too_early(self) -> bool:
        """Whether the simulated days end before the published time, and the p90 lies beyond their end."""
        return self.p90_s == math.inf and self.watched_s is not None and self.watched_s < self.published_s

    def shown(self, time_s: float | None) -> str:
        """A simulated time in words; what never happened was watched for a time only."""
        if time_s is None:
            return "not known"
        if math.isinf(time_s) and self.watched_s is not None:
            return f"not within {words.duration(self.watched_s)}"
        return words.duration(time_s)

    def verdict(self) -> str:
        """Where the simulation differs, in words, without an excuse."""
        name = self.name.replace("_", " ")
        if self.p10_s is None or self.p50_s is None or self.p90_s is None:
            return f"{name}: the simulation has no such milestone, so this was not compared."
        if self._ends_too_early:
            assert self.watched_s is not None, "a day that ends too early was watched for a time"
            never = "nine in ten" if math.isinf(self.p10_s) else "half" if math.isinf(self.p50_s) else "one in ten"
            return (
                f"{name}: published after {words.duration(self.published_s)}, and the simulated days end "
                f"{words.duration(self.watched_s)} after the start of impact, when at least {never} of them are not there: "
                "this could not be compared."
            )
        if math.isinf(self.p10_s):
            return f"{name}: published after {words.duration(self.published_s)}; nine in ten simulated days never get there."
        within = f"{words.duration(self.p10_s)} to {words.duration(self.p90_s)}" if math.isfinite(self.p90_s) else ""
        within = within or f"{words.duration(self.p10_s)} to never"
        if self.within:
            return f"{name}: published {words.duration(self.published_s)}, inside the simulated range {within} (p10 to p90)."
        side = "sooner" if self.p90_s < self.published_s else "later"
        near = self.p90_s if side == "sooner" else self.p10_s
        gap = words.duration(abs(near - self.published_s))
        return (
            f"{name}: the simulation is too {'fast' if side == 'sooner' else 'slow'}. Published {words.duration(self.published_s)}, "
            f"simulated {within} (p10 to p90): even the nearer end is {gap} too {'soon' if side == 'sooner' else 'late'}."
        )


def figure(milestones: Sequence[Milestone]) -> Figure:
    """One row for each milestone, in order of the published time."""
    if not milestones:
        return style.empty("No milestone was published.")
    with style.drawing():
        ordered = sorted(milestones, key=lambda one: one.published_s)
        height = _TOP_IN + len(ordered) * _ROW_IN + _BOTTOM_IN
        drawn = style.new_figure(height)
        axes = drawn.add_axes((0.16, _BOTTOM_IN / height, 0.81, len(ordered) * _ROW_IN / height))
        low, high = _range(ordered)
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        axes.set_ylim(len(ordered) - 0.5, -0.5)
        for row, one in enumerate(ordered):
            _draw(axes, one, row, high)
        axes.set_yticks(range(len(ordered)), [words.shortened(one.name.replace("_", " "), 26) for one in ordered])
        ticks = [float(step) for step in _STEPS_S if low <= step <= high]
        axes.set_xticks(ticks, [words.duration(tick) for tick in ticks])
        axes.minorticks_off()
        axes.grid(axis="x", color=style.FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel("time from the start of impact", fontsize=style.SMALL_PT, color=style.GREY)
        _legend(drawn, height)
    return drawn


def _range(milestones: Sequence[Milestone]) -> tuple[float, float]:
    times = [time for one in milestones for time in (one.published_s, one.p10_s, one.p50_s, one.p90_s) if time is not None]
    positive = [time for time in times if math.isfinite(time) and time > 0] or [1.0]
    return max(min(positive), 0.5) / 2, max(*positive, 60.0) * 2


def _draw(axes: Axes, one: Milestone, row: int, high: float) -> None:
    low = axes.get_xlim()[0]
    if one.p10_s is not None and one.p90_s is not None and math.isfinite(one.p10_s):
        right = one.p90_s if math.isfinite(one.p90_s) else high
        colour = {True: style.SKY, False: style.ORANGE, None: style.FAINT}[one.within]
        axes.barh(row, max(right, low) - max(one.p10_s, low), left=max(one.p10_s, low), height=0.34, color=colour, alpha=0.7)
        if math.isinf(one.p90_s):
            axes.plot([high], [row], ">", color=style.VERMILLION, markersize=9, clip_on=False)
    if one.p50_s is not None and math.isfinite(one.p50_s):
        axes.plot([max(one.p50_s, low)], [row], "|", color=style.BLUE, markersize=15, markeredgewidth=2.5)
    axes.plot([max(one.published_s, low)], [row], "D", color=style.BLACK, markersize=7)


def _legend(drawn: Figure, height_in: float) -> None:
    from matplotlib.artist import Artist
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = [
        Line2D([], [], color=style.BLACK, marker="D", linestyle="", label="published"),
        Line2D([], [], color=style.BLUE, marker="|", markersize=12, markeredgewidth=2.5, linestyle="", label="simulated p50"),
        Patch(color=style.SKY, alpha=0.7, label="simulated p10 to p90, published inside"),
        Patch(color=style.ORANGE, alpha=0.7, label="published outside"),
        Patch(color=style.FAINT, alpha=0.7, label="cannot be told"),
    ]
    drawn.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.16, 1 - 0.04 / height_in), ncols=5, borderpad=0, borderaxespad=0
    )
