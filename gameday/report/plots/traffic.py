"""Requests by class over time: answered well, refused on purpose, failed, against what was offered.

The rule that surprises: an answer is counted when it ends and an offer when it begins, so the stack may stand above the line for a
moment when a backlog is worked off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gameday.report.plots import style

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_PANEL_IN: Final = 1.45
_GAP_IN: Final = 0.42
_TOP_IN: Final = 0.62
_BOTTOM_IN: Final = 0.5
_LEFT_IN: Final = 0.75
_RIGHT_IN: Final = 0.3
_GOOD: Final = "#52B79A"
"""The palette's green, lightened: it fills most of the picture."""


@dataclass(frozen=True, slots=True)
class TrafficPanel:
    """One class of requests: requests per second in bins that end at `t`."""

    name: str
    priority: str
    t: Floats
    offered: Floats
    good: Floats
    shed: Floats
    failed: Floats


def figure(panels: Sequence[TrafficPanel], start_s: float, end_s: float, impact: Sequence[tuple[float, float]] = ()) -> Figure:
    """One panel for each class, all on the same time axis, `impact` shaded."""
    if not panels:
        return style.empty("No requests were recorded.")
    with style.drawing():
        height = _TOP_IN + len(panels) * _PANEL_IN + (len(panels) - 1) * _GAP_IN + _BOTTOM_IN
        drawn = style.new_figure(height)
        for row, panel in enumerate(panels):
            axes = drawn.add_axes(_box(row, height))
            _draw(axes, panel)
            style.shade(axes, list(impact))
            style.time_axis(axes, start_s, end_s, label=row == len(panels) - 1)
            axes.set_title(_title(panel), pad=4.0)
        _legend(drawn, height, shaded=bool(impact))
    return drawn


def _title(panel: TrafficPanel) -> str:
    from gameday.report.words import shortened

    return f"{shortened(panel.name, 60)} ({panel.priority.replace('_', ' ')})"


def _box(row: int, height_in: float) -> tuple[float, float, float, float]:
    top = height_in - _TOP_IN - row * (_PANEL_IN + _GAP_IN)
    width = style.WIDTH_IN - _LEFT_IN - _RIGHT_IN
    return _LEFT_IN / style.WIDTH_IN, (top - _PANEL_IN) / height_in, width / style.WIDTH_IN, _PANEL_IN / height_in


def _draw(axes: Axes, panel: TrafficPanel) -> None:
    first = panel.good
    second = first + panel.shed
    third = second + panel.failed
    axes.fill_between(panel.t, 0.0, first, step="pre", color=_GOOD, linewidth=0)
    axes.fill_between(panel.t, first, second, step="pre", color=style.YELLOW, linewidth=0)
    axes.fill_between(panel.t, second, third, step="pre", color=style.VERMILLION, linewidth=0)
    axes.plot(panel.t, panel.offered, drawstyle="steps-pre", color=style.BLACK, linewidth=0.9)
    highest = max(float(panel.offered.max(initial=0.0)), float(third.max(initial=0.0)))
    axes.set_ylim(0.0, highest * 1.08 if highest else 1.0)
    axes.set_ylabel("requests/s", fontsize=style.SMALL_PT)
    axes.locator_params(axis="y", nbins=4)


def _legend(drawn: Figure, height_in: float, *, shaded: bool) -> None:
    from matplotlib.artist import Artist
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = [
        Line2D([], [], color=style.BLACK, linewidth=1.2, label="offered"),
        Patch(color=_GOOD, label="answered well and in time"),
        Patch(color=style.YELLOW, label="shed: refused on purpose"),
        Patch(color=style.VERMILLION, label="failed"),
    ]
    if shaded:
        handles.append(Patch(color=style.IMPACT, label="users hurt"))
    x, y = _LEFT_IN / style.WIDTH_IN, 1 - 0.04 / height_in
    drawn.legend(handles=handles, loc="upper left", bbox_to_anchor=(x, y), ncols=len(handles), borderpad=0, borderaxespad=0)
