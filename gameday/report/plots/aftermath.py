"""The share of good answers of each class that was hurt, window by window: before its cause, during it, and in the time that was judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gameday.report.plots import style
from gameday.report.words import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gameday.report.aftermaths import AfterRow

_PANEL_IN: Final = 1.15
_GAP_IN: Final = 0.48
_TOP_IN: Final = 0.68
_BOTTOM_IN: Final = 0.5
_LEFT_IN: Final = 0.75
_RIGHT_IN: Final = 0.3
_JUDGED: Final = "#dcecf7"


def figure(rows: Sequence[AfterRow], start_s: float, end_s: float) -> Figure:
    """One panel for each, all on the same time axis."""
    if not rows:
        return style.empty("Nobody was hurt.")
    with style.drawing():
        height = _TOP_IN + len(rows) * _PANEL_IN + (len(rows) - 1) * _GAP_IN + _BOTTOM_IN
        drawn = style.new_figure(height)
        for number, row in enumerate(rows):
            top = height - _TOP_IN - number * (_PANEL_IN + _GAP_IN)
            width = (style.WIDTH_IN - _LEFT_IN - _RIGHT_IN) / style.WIDTH_IN
            axes = drawn.add_axes((_LEFT_IN / style.WIDTH_IN, (top - _PANEL_IN) / height, width, _PANEL_IN / height))
            _draw(axes, row)
            style.time_axis(axes, start_s, end_s, label=number == len(rows) - 1)
        _legend(drawn, height)
    return drawn


def _draw(axes: Axes, row: AfterRow) -> None:
    if row.trigger is not None:
        begin_s, gone_s = row.trigger
        axes.axvspan(begin_s, min(gone_s, row.until_s), color=style.FAINT, linewidth=0, zorder=0)
        if row.found is not None:
            axes.axvspan(gone_s, row.until_s, color=_JUDGED, linewidth=0, zorder=0)
            if row.found.after_s is not None:
                axes.axvline(gone_s + row.found.after_s, color=style.GREEN, linewidth=1.6)
    if row.well_from is not None:
        axes.axhline(100.0 * row.well_from, color=style.VERMILLION, linewidth=1.0, linestyle=(0, (5, 3)))
    axes.plot(row.ends_s, 100.0 * row.share, drawstyle="steps-pre", color=style.BLACK, linewidth=1.0)
    axes.set_ylim(0.0, 104.0)
    axes.set_yticks([0, 50, 100])
    axes.set_ylabel("good, %", fontsize=style.SMALL_PT)
    axes.set_title(shortened(f"{row.request_class}: {row.state}, {row.sentence}", 120), pad=4.0)


def _legend(drawn: Figure, height_in: float) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], color=style.BLACK, linewidth=1.2, label="good answers of those asked"),
        Line2D([], [], color=style.VERMILLION, linewidth=1.0, linestyle=(0, (5, 3)), label="well from here up"),
        Patch(color=style.FAINT, label="its cause lasts"),
        Patch(color=_JUDGED, label="judged"),
        Line2D([], [], color=style.GREEN, linewidth=1.6, label="well for half a minute from here on"),
    ]
    x, y = _LEFT_IN / style.WIDTH_IN, 1 - 0.04 / height_in
    drawn.legend(handles=handles, loc="upper left", bbox_to_anchor=(x, y), ncols=len(handles), borderpad=0, borderaxespad=0)
