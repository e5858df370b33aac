"""What caches and concurrency limiters did: what a cache spared its callee, and what a limiter let in and refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gameday.report.plots import style
from gameday.report.words import shortened

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from gameday.series import Series, SeriesSet

    Floats = NDArray[np.float64]

MOST_ROWS: Final = 8
"""Rows of the picture, those with the most refusals and misses."""
_ROW_IN: Final = 1.0
_GAP_IN: Final = 0.5
_TOP_IN: Final = 0.66
_BOTTOM_IN: Final = 0.5
_LEFT_IN: Final = 0.75
_RIGHT_IN: Final = 0.3
_BETWEEN_IN: Final = 0.8
_GOOD: Final = "#52B79A"


@dataclass(frozen=True, slots=True)
class GuardRow:
    """One cache or one limiter: areas that add up, on the left, and lines or an area on the right."""

    title: str
    t: Floats
    stacked: tuple[tuple[str, str, Floats], ...]
    """Name, colour and rates per second."""
    lines: tuple[tuple[str, str, Floats], ...]
    right_unit: str
    weight: float


def guard_rows(series: SeriesSet) -> list[GuardRow]:
    """Limiters and caches that anything came to, those with the most refusals and misses first."""
    rows = [_limiter(series, one) for one in series.find("service.limit")]
    rows += [_cache(series, one) for one in series.find("edge.cache_hits")]
    used = [row for row in rows if any(rates.any() for _, _, rates in row.stacked)]
    return sorted(used, key=lambda row: (-row.weight, row.title))[:MOST_ROWS]


def _limiter(series: SeriesSet, limit: Series) -> GuardRow:
    held, refused, arrived = (series.one(f"service.{name}", limit.labels).values for name in ("in_flight", "limited", "arrived"))
    stacked = (("let in", _GOOD, arrived - refused), ("refused by the limiter", style.VERMILLION, refused))
    lines = (("limit", style.BLACK, limit.values), ("in flight", style.BLUE, held))
    title = f"limiter of {limit.labels['service']} in {limit.labels['region']}"
    return GuardRow(title, limit.t, stacked, lines, "requests at a time", float(refused.sum()))


def _cache(series: SeriesSet, hits: Series) -> GuardRow:
    import numpy as np

    misses, joined = (series.one(f"edge.cache_{name}", hits.labels).values for name in ("misses", "joined"))
    asked = hits.values + misses + joined
    stacked = (("hits", _GOOD, hits.values), ("joined a call", style.SKY, joined), ("misses", style.ORANGE, misses))
    share = np.divide(100.0 * hits.values, asked, out=np.full(len(asked), np.nan), where=asked > 0)
    title = f"cache for {hits.labels['edge']}"
    return GuardRow(title, hits.t, stacked, (("hits of all", style.GREEN, share),), "hits, %", float(misses.sum()))


def figure(rows: Sequence[GuardRow], start_s: float, end_s: float, impact: Sequence[tuple[float, float]] = ()) -> Figure:
    """One row each, all on the same time axis, `impact` shaded."""
    if not rows:
        return style.empty("There are no caches and no limiters.")
    with style.drawing():
        height = _TOP_IN + len(rows) * _ROW_IN + (len(rows) - 1) * _GAP_IN + _BOTTOM_IN
        drawn = style.new_figure(height)
        room = (style.WIDTH_IN - _LEFT_IN - _RIGHT_IN - _BETWEEN_IN) / 2
        for number, row in enumerate(rows):
            top = height - _TOP_IN - number * (_ROW_IN + _GAP_IN)
            for place, draw in enumerate((_areas, _lines)):
                left = _LEFT_IN + place * (room + _BETWEEN_IN)
                box = (left / style.WIDTH_IN, (top - _ROW_IN) / height, room / style.WIDTH_IN, _ROW_IN / height)
                axes = drawn.add_axes(box)
                draw(axes, row)
                style.shade(axes, list(impact))
                style.time_axis(axes, start_s, end_s, label=number == len(rows) - 1, most=7)
        _legend(drawn, height, rows, shaded=bool(impact))
    return drawn


def _areas(axes: Axes, row: GuardRow) -> None:
    floor: Any = 0.0 * row.t
    for _, colour, rates in row.stacked:
        axes.fill_between(row.t, floor, floor + rates, step="pre", color=colour, linewidth=0)
        floor = floor + rates
    axes.set_ylim(0.0, max(1.0, float(floor.max(initial=0.0)) * 1.08))
    axes.set_ylabel("per second", fontsize=style.SMALL_PT)
    axes.locator_params(axis="y", nbins=3)
    axes.set_title(shortened(row.title, 60), pad=4.0)


def _lines(axes: Axes, row: GuardRow) -> None:
    import numpy as np

    highest = 1.0
    for _, colour, values in row.lines:
        axes.plot(row.t, values, drawstyle="steps-pre", color=colour, linewidth=1.2)
        highest = max(highest, float(np.nanmax(values, initial=0.0)))
    axes.set_ylim(0.0, 104.0 if row.right_unit.endswith("%") else highest * 1.08)
    axes.set_ylabel(row.right_unit, fontsize=style.SMALL_PT)
    axes.locator_params(axis="y", nbins=3)


def _legend(drawn: Figure, height_in: float, rows: Sequence[GuardRow], *, shaded: bool) -> None:
    from matplotlib.artist import Artist
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: dict[str, Artist] = {}
    for row in rows:
        handles |= {name: Patch(color=colour, label=name) for name, colour, _ in row.stacked}
        handles |= {name: Line2D([], [], color=colour, linewidth=1.6, label=name) for name, colour, _ in row.lines}
    if shaded:
        handles["hurt"] = Patch(color=style.IMPACT, label="users hurt")
    x, y = _LEFT_IN / style.WIDTH_IN, 1 - 0.04 / height_in
    drawn.legend(
        handles=list(handles.values()), loc="upper left", bbox_to_anchor=(x, y), ncols=len(handles), borderpad=0, borderaxespad=0
    )
