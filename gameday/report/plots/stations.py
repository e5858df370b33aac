"""Small multiples: one row for each service, database node or provider; what came and what became of it, how busy, who waited, how long.

The rule that surprises: what came, waited and took long has a scale of its own in each row, because a provider sees a tenth of what the
gateway sees; the busy share is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from gameday.report.plots import style
from gameday.report.words import duration, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gameday.report.stations import StationRow

_ROW_IN: Final = 1.0
_GAP_IN: Final = 0.52
_TOP_IN: Final = 1.0
_BOTTOM_IN: Final = 0.5
_LEFT_IN: Final = 0.62
_BETWEEN_IN: Final = 0.62
_RIGHT_IN: Final = 0.3
_WIDTHS: Final = (0.36, 0.17, 0.2, 0.27)
_HEADS: Final = ("requests/s", "slots busy, %", "requests waiting", "time to finish: p50, p99")
_GOOD: Final = "#52B79A"
_COLOURS: Final = (style.VERMILLION, style.PURPLE, style.YELLOW)
_OTHER: Final = style.BLACK


def figure(rows: Sequence[StationRow], start_s: float, end_s: float, impact: Sequence[tuple[float, float]] = ()) -> Figure:
    """One row each, all on the same time axis, `impact` shaded."""
    if not rows:
        return style.empty("No station was recorded.")
    with style.drawing():
        height = _TOP_IN + len(rows) * _ROW_IN + (len(rows) - 1) * _GAP_IN + _BOTTOM_IN
        drawn = style.new_figure(height)
        colours = reason_colours(rows)
        for number, row in enumerate(rows):
            top = height - _TOP_IN - number * (_ROW_IN + _GAP_IN)
            axes = [drawn.add_axes(box) for box in _boxes(top, height)]
            for one in axes:
                style.shade(one, list(impact))
                style.time_axis(one, start_s, end_s, label=False, most=7)
                if number == len(rows) - 1:
                    _bottom(one, start_s, end_s, most=7 if one is axes[0] else 4)
            _requests(axes[0], row, colours)
            _busy(axes[1], row)
            _waiting(axes[2], row)
            _latency(axes[3], row)
            title = f"{shortened(row.title, 60)}: {row.why}"
            drawn.text(_LEFT_IN / style.WIDTH_IN, (top + 0.09) / height, title, fontweight="bold", fontsize=style.TEXT_PT)
            if number == 0:
                for one, head in zip(axes, _HEADS, strict=True):
                    place = one.get_position().x0
                    drawn.text(place, (top + 0.31) / height, head, color=style.GREY, fontsize=style.SMALL_PT)
        _legend(drawn, height, colours, rows, shaded=bool(impact))
    return drawn


def reason_colours(rows: Sequence[StationRow]) -> Mapping[str, str]:
    """The reasons of most failures with a colour each; all others share one."""
    totals: dict[str, float] = {}
    for row in rows:
        for reason, rates in row.failed.items():
            totals[reason] = totals.get(reason, 0.0) + float(rates.sum())
    most = sorted((reason for reason in totals if totals[reason]), key=lambda reason: (-totals[reason], reason))
    return {reason: _COLOURS[place] if place < len(_COLOURS) else _OTHER for place, reason in enumerate(most)}


def _boxes(top_in: float, height_in: float) -> list[tuple[float, float, float, float]]:
    room = style.WIDTH_IN - _LEFT_IN - _RIGHT_IN - _BETWEEN_IN * (len(_WIDTHS) - 1)
    boxes, left = [], _LEFT_IN
    for share in _WIDTHS:
        width = room * share
        boxes.append((left / style.WIDTH_IN, (top_in - _ROW_IN) / height_in, width / style.WIDTH_IN, _ROW_IN / height_in))
        left += width + _BETWEEN_IN
    return boxes


def _bottom(axes: Axes, start_s: float, end_s: float, most: int) -> None:
    ticks, texts, written = style.time_ticks(start_s, end_s, most)
    axes.set_xticks(ticks, texts)
    axes.set_xlabel(f"time ({written})", fontsize=style.SMALL_PT, color=style.GREY)


def _requests(axes: Axes, row: StationRow, colours: Mapping[str, str]) -> None:
    parts: list[tuple[Any, str]] = [(row.good, _GOOD)]
    parts += [(row.failed[reason], colour) for reason, colour in colours.items() if reason in row.failed]
    floor = 0.0 * row.t
    for rates, colour in parts:
        if rates.any():
            axes.fill_between(row.t, floor, floor + rates, step="pre", color=colour, linewidth=0)
            floor = floor + rates
    axes.plot(row.t, row.arrived, drawstyle="steps-pre", color=style.BLACK, linewidth=0.9)
    if row.wasted.any():
        axes.plot(row.t, row.wasted, drawstyle="steps-pre", color=style.SKY, linewidth=1.3)
    highest = max(float(floor.max(initial=0.0)), float(row.arrived.max(initial=0.0)))
    axes.set_ylim(0.0, highest * 1.08 if highest else 1.0)
    axes.locator_params(axis="y", nbins=3)


def _busy(axes: Axes, row: StationRow) -> None:
    axes.plot(row.t, 100.0 * row.busy, drawstyle="steps-pre", color=style.BLUE, linewidth=1.2)
    axes.set_ylim(0.0, 105.0)
    axes.set_yticks([0, 50, 100])
    axes.grid(axis="y", color=style.FAINT, linewidth=0.6)


def _waiting(axes: Axes, row: StationRow) -> None:
    axes.fill_between(row.t, 0.0, row.waiting, step="pre", color=style.ORANGE, linewidth=0)
    axes.set_ylim(0.0, max(4.0, float(row.waiting.max(initial=0.0)) * 1.08))
    axes.locator_params(axis="y", nbins=3, integer=True)


def _latency(axes: Axes, row: StationRow) -> None:
    import numpy as np
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for seconds, colour in ((row.p50_s, style.SKY), (row.p99_s, style.BLUE)):
        axes.plot(row.t, seconds, color=colour, linewidth=1.2)
    known = np.concatenate([row.p50_s, row.p99_s])
    known = known[np.isfinite(known)]
    if not len(known):
        axes.set_yticks([])
        return
    axes.set_yscale("log")
    low, high = float(known.min()) / 1.5, float(known.max()) * 1.5
    axes.set_ylim(low, max(high, low * 12.0))
    axes.yaxis.set_major_locator(LogLocator(base=10.0, numticks=4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y", color=style.FAINT, linewidth=0.6)


def _legend(drawn: Figure, height_in: float, colours: Mapping[str, str], rows: Sequence[StationRow], *, shaded: bool) -> None:
    from matplotlib.artist import Artist
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = [
        Line2D([], [], color=style.BLACK, linewidth=1.2, label="arrived"),
        Patch(color=_GOOD, label="answered"),
    ]
    if any(row.wasted.any() for row in rows):
        handles.append(Line2D([], [], color=style.SKY, linewidth=1.6, label="finished for nobody"))
    for reason, colour in colours.items():
        if colour != _OTHER:
            handles.append(Patch(color=colour, label=f"failed: {reason.replace('_', ' ')}"))
    if _OTHER in colours.values():
        handles.append(Patch(color=_OTHER, label="failed: other reasons"))
    if shaded:
        handles.append(Patch(color=style.IMPACT, label="users hurt"))
    x, y = _LEFT_IN / style.WIDTH_IN, 1 - 0.04 / height_in
    drawn.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(x, y),
        ncols=len(handles),
        borderpad=0,
        borderaxespad=0,
        columnspacing=1.3,
    )
