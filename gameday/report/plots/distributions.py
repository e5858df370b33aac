"""How each KPI came out over the replications: a histogram with p50, p90 and the target, and a bar of its own for "never".

The rule that surprises: a KPI that came out the same in every replication gets no panel, it has nothing to show; it is named
under the picture. With few replications every one is drawn as a dot instead of a bar of a histogram.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from gameday.report import words
from gameday.report.plots import style

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST_FOR_BARS: Final = 16
"""Replications from which a histogram says more than the dots themselves."""
_COLUMNS: Final = 3
_PANEL_HEIGHT_IN: Final = 1.35
_ROW_IN: Final = 2.2
_TOP_IN: Final = 0.32
_CHARACTER: Final = 0.024
"""Width of a character of a tick label, as a share of the panel."""
_DECADES_FOR_LOG: Final = 40.0
_ROUND_S: Final = (
    *(0.001, 0.01, 0.1, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0),
    *(3600.0, 7200.0, 18_000.0, 36_000.0, 86_400.0, 172_800.0, 604_800.0),
)


@dataclass(frozen=True, slots=True)
class Spread:
    """One KPI over the replications; +inf is "never", NaN "could not be judged" (left out)."""

    kpi: str
    title: str
    unit: str
    values: Floats
    p50: float | None
    p90: float | None
    target: float | None
    currency: str | None = None

    def judged(self) -> Floats:
        """The values without those that could not be judged."""
        import numpy as np

        return self.values[~np.isnan(self.values)]

    def varies(self) -> bool:
        """Whether at least two replications differ."""
        judged = self.judged()
        return len(judged) > 1 and bool((judged != judged[0]).any())


def figure(spreads: Sequence[Spread]) -> Figure:
    """A grid of panels, one for each KPI that varies."""
    shown = [spread for spread in spreads if spread.varies()]
    if not shown:
        return style.empty("No KPI differs between replications.")
    with style.drawing():
        rows = -(-len(shown) // _COLUMNS)
        height = _TOP_IN + rows * _ROW_IN
        drawn = style.new_figure(height)
        cell = 1.0 / _COLUMNS
        for position, spread in enumerate(shown):
            row, column = divmod(position, _COLUMNS)
            top = height - _TOP_IN - row * _ROW_IN - 0.5
            box = (column * cell + 0.035, (top - _PANEL_HEIGHT_IN) / height, cell - 0.06, _PANEL_HEIGHT_IN / height)
            _draw(drawn.add_axes(box), spread)
        _legend(drawn, height)
    return drawn


def _draw(axes: Axes, spread: Spread) -> None:
    import numpy as np

    judged = spread.judged()
    finite = judged[np.isfinite(judged)]
    never = len(judged) - len(finite)
    scale = _Scale.of(finite, [value for value in (spread.p50, spread.p90, spread.target) if value is not None])
    axes.set_xlim(0.0, 1.18 if never else 1.0)
    axes.set_ylim(0.0, 1.0)
    if len(judged) >= FEWEST_FOR_BARS:
        _bars(axes, scale, finite, never, len(judged))
    else:
        _dots(axes, scale, finite, never)
    for value, colour, width, dashes in (
        (spread.target, style.ORANGE, 4.0, (0.0, ())),
        (spread.p50, style.BLACK, 1.3, (0.0, ())),
        (spread.p90, style.BLACK, 1.3, (0.0, (1.5, 1.5))),
    ):
        if value is not None and math.isfinite(value):
            axes.axvline(scale.at(value), color=colour, linewidth=width, linestyle=dashes)
    ticks = _with_room(scale, spread, scale.ticks(spread.unit), right=0.9 if never else 1.08)
    axes.set_xticks([scale.at(tick) for tick in ticks], _tick_texts(spread, ticks))
    if never:
        axes.text(1.09, -0.045, "never", ha="center", va="top", fontsize=style.SMALL_PT, color=style.VERMILLION)
        axes.axvline(1.03, color=style.GREY, linewidth=0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_title(words.shortened(spread.kpi, 44), fontsize=style.TEXT_PT, pad=16.0)
    unit = {"money": spread.currency, "per_day": "per day"}.get(spread.unit)
    title = words.shortened(spread.title, 46 if unit else 56) + (f", {unit}" if unit else "")
    axes.text(0.0, 1.03, title, transform=axes.transAxes, fontsize=style.SMALL_PT, color=style.GREY)


def _with_room(scale: _Scale, spread: Spread, ticks: list[float], right: float) -> list[float]:
    """The ticks whose labels fit beside each other and end before `right`; every second, third ... where they do not."""
    widths = [len(text) * _CHARACTER for text in _tick_texts(spread, ticks)]
    fitting = [(tick, width) for tick, width in zip(ticks, widths, strict=True) if scale.at(tick) + width / 2 <= right]
    for every in range(1, len(fitting)):
        kept = fitting[::every]
        gaps = [scale.at(b) - scale.at(a) - (width_a + width_b) / 2 for (a, width_a), (b, width_b) in pairwise(kept)]
        if min(gaps, default=1.0) >= _CHARACTER:
            return [tick for tick, _ in kept]
    return [tick for tick, _ in fitting[:1]]


def _tick_texts(spread: Spread, ticks: Sequence[float]) -> list[str]:
    """The ticks in words; with as many digits as it takes to tell two of them apart."""
    texts = [_tick(spread, tick) for tick in ticks]
    if len(set(texts)) == len(texts):
        return texts
    return [f"{tick:.6g}s" if spread.unit == "s" else f"{tick:.6g}" for tick in ticks]


def _tick(spread: Spread, tick: float) -> str:
    if spread.unit in {"money", "count", "per_day", "rank"}:
        for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(tick) >= 10 * size or (letter == "k" and abs(tick) >= 1e4):
                return f"{tick / size:g}{letter}"
        return f"{tick:g}"
    return words.value(spread.kpi, tick, spread.unit)


def _bars(axes: Axes, scale: _Scale, finite: Floats, never: int, n: int) -> None:
    """Bars of one scale: the height of a bar is the share of replications in it, the highest fills the panel."""
    import numpy as np

    edges = _edges(scale, finite)
    counts, _ = np.histogram([scale.at(float(value)) for value in finite], bins=edges)
    highest = max(int(counts.max(initial=0)), never, 1) / 0.86
    width = np.diff(edges) * (0.8 if len(edges) < 25 else 1.0)
    middles = (edges[:-1] + edges[1:]) / 2
    axes.bar(middles, counts / highest, width=width, color=style.SKY, edgecolor="white", linewidth=0.4)
    if never:
        axes.bar([1.09], [never / highest], width=0.08, color=style.VERMILLION)
        axes.text(1.09, never / highest + 0.02, words.percent(never / n), ha="center", fontsize=style.SMALL_PT - 1)


def _edges(scale: _Scale, finite: Floats) -> Floats:
    """Edges of the bars: one bar around each whole number where there are only a few of them, else bars of one width."""
    import numpy as np

    whole = bool((finite == np.round(finite)).all()) and not scale.logarithmic
    if whole and len(finite) and finite.max() - finite.min() <= 20:
        numbers = np.arange(finite.min() - 0.5, finite.max() + 1.0, 1.0)
        return np.asarray([(number - scale.low) / (scale.high - scale.low) for number in numbers])
    return np.linspace(0.0, 1.0, 25)


def _dots(axes: Axes, scale: _Scale, finite: Floats, never: int) -> None:
    """A dot for each replication; dots at the same place are stacked."""
    stacked: dict[int, int] = {}
    places = [scale.at(float(value)) for value in sorted(finite)] + [1.09] * never
    crowded = max((sum(round(other * 40) == round(place * 40) for other in places) for place in places), default=1)
    step = min(0.16, 0.9 / (1 + crowded))
    for place in places:
        stack = round(place * 40)
        stacked[stack] = stacked.get(stack, 0) + 1
        axes.plot(
            [place],
            [stacked[stack] * step - step / 2],
            "o",
            color=style.VERMILLION if place > 1 else style.SKY,
            markersize=6.0,
            markeredgecolor=style.INK,
            markeredgewidth=0.4,
            clip_on=False,
            zorder=4.0,
        )


@dataclass(frozen=True, slots=True)
class _Scale:
    """Maps values to 0..1: linear, or logarithmic when they span far more than a decade."""

    low: float
    high: float
    logarithmic: bool

    @classmethod
    def of(cls, finite: Floats, marks: Sequence[float]) -> _Scale:
        everything = [*finite.tolist(), *(mark for mark in marks if math.isfinite(mark))] or [0.0, 1.0]
        low, high = min(everything), max(everything)
        if low > 0 and high / low > _DECADES_FOR_LOG:
            return cls(math.log10(low) - 0.05, math.log10(high) + 0.05, True)
        pad = (high - low) * 0.06 or max(abs(high), 1.0) * 0.05
        if bool(len(finite)) and all(value == round(value) for value in finite.tolist()) and high - low <= 20:
            return cls(low - 0.7, high + 0.7, False)
        bottom = 0.0 if 0 <= low < (high - low) else low - pad
        return cls(bottom - (pad / 3 if bottom == 0.0 else 0.0), high + pad, False)

    def at(self, value: float) -> float:
        number = math.log10(max(value, 1e-12)) if self.logarithmic else value
        return min(max((number - self.low) / (self.high - self.low), 0.0), 1.0)

    def ticks(self, unit: str) -> list[float]:
        """Three to six round values; whole ones for what is counted."""
        if unit == "bool":
            return [0.0, 1.0]
        in_seconds = unit == "s"
        if self.logarithmic:
            low, high = 10**self.low, 10**self.high
            round_values = _ROUND_S if in_seconds else tuple(10.0**power for power in range(-9, 13))
            inside = [value for value in round_values if low <= value <= high]
            return inside[:: max(1, -(-len(inside) // 5))] or [low, high]
        step = _round_step((self.high - self.low) / 3.8, in_seconds=in_seconds)
        step = max(step, 1.0) if unit in {"count", "rank"} else step
        first = math.ceil(self.low / step - 1e-9)
        return [(first + i) * step for i in range(9) if (first + i) * step <= self.high + 1e-9]


def _round_step(rough: float, *, in_seconds: bool) -> float:
    """The nearest round step: 1, 2 or 5 times a power of ten; from ten seconds on, whole parts of minutes and hours."""
    power = 10.0 ** math.floor(math.log10(rough))
    choices: tuple[float, ...] = (1.0 * power, 2.0 * power, 5.0 * power, 10.0 * power)
    if in_seconds and rough >= 7.0:
        choices = _ROUND_S
    return min(choices, key=lambda step: abs(math.log(step / rough)))


def _legend(drawn: Figure, height_in: float) -> None:
    from matplotlib.artist import Artist
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = [
        Patch(color=style.SKY, label="replications"),
        Patch(color=style.VERMILLION, label="never, within the run"),
        Line2D([], [], color=style.BLACK, linewidth=1.2, label="p50"),
        Line2D([], [], color=style.BLACK, linewidth=1.2, linestyle=(0, (1.5, 1.5)), label="p90 (on the bad side)"),
        Line2D([], [], color=style.ORANGE, linewidth=4.0, label="target"),
    ]
    drawn.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.035, 1 - 0.05 / height_in), ncols=5, borderpad=0, borderaxespad=0
    )
