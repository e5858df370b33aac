"""Latency quantiles by class over time on a logarithmic scale, with the deadline after which an answer no longer counts.

The rule that surprises: where nothing was answered there is no latency, so the lines have gaps; a gap in an outage is not good news.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
_LARGEST_GAP_STEPS: Final = 1.5
"""Points further apart than this many steps are not joined."""
_LINES: Final = (("p50", style.SKY, 1.4), ("p95", style.BLUE, 1.2), ("p99", style.PURPLE, 1.0))


@dataclass(frozen=True, slots=True)
class LatencyPanel:
    """One class of requests: times and seconds per quantile (`p50`, `p95`, `p99`), and the deadline in seconds."""

    name: str
    deadline_s: float
    quantiles: Mapping[str, tuple[Floats, Floats]]
    step_s: float = 5.0
    """Distance of two points where nothing is missing, seconds."""


def figure(panels: Sequence[LatencyPanel], start_s: float, end_s: float, impact: Sequence[tuple[float, float]] = ()) -> Figure:
    """One panel for each class, all on the same time axis, `impact` shaded."""
    if not panels:
        return style.empty("No latency was recorded: nothing was answered.")
    with style.drawing():
        height = _TOP_IN + len(panels) * _PANEL_IN + (len(panels) - 1) * _GAP_IN + _BOTTOM_IN
        drawn = style.new_figure(height)
        low, high = _range(panels)
        for row, panel in enumerate(panels):
            top = height - _TOP_IN - row * (_PANEL_IN + _GAP_IN)
            width = (style.WIDTH_IN - _LEFT_IN - _RIGHT_IN) / style.WIDTH_IN
            axes = drawn.add_axes((_LEFT_IN / style.WIDTH_IN, (top - _PANEL_IN) / height, width, _PANEL_IN / height))
            _draw(axes, panel, low, high)
            style.shade(axes, list(impact))
            style.time_axis(axes, start_s, end_s, label=row == len(panels) - 1)
        _legend(drawn, height, shaded=bool(impact))
    return drawn


def _range(panels: Sequence[LatencyPanel]) -> tuple[float, float]:
    """The same scale for all classes, so that they can be compared."""
    import numpy as np

    values = [panel.deadline_s for panel in panels]
    for panel in panels:
        for _, seconds in panel.quantiles.values():
            positive = seconds[np.isfinite(seconds) & (seconds > 0)]
            values += [float(positive.min()), float(positive.max())] if len(positive) else []
    return min(values) / 1.5, max(values) * 1.6


def with_gaps(t: Floats, values: Floats, step_s: float = 5.0) -> tuple[Floats, Floats]:
    """The points with a NaN wherever two are too far apart to be joined."""
    import numpy as np

    where = np.flatnonzero(np.diff(t) > _LARGEST_GAP_STEPS * step_s) + 1
    return np.insert(t, where, t[where - 1] + 1e-6), np.insert(values, where, np.nan)


def _draw(axes: Axes, panel: LatencyPanel, low: float, high: float) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    from gameday.report.words import duration, shortened

    axes.set_yscale("log")
    axes.set_ylim(low, high)
    for name, colour, width in _LINES:
        if name in panel.quantiles:
            t, seconds = with_gaps(*panel.quantiles[name], panel.step_s)
            axes.plot(t, seconds, color=colour, linewidth=width)
    axes.axhline(panel.deadline_s, color=style.VERMILLION, linewidth=1.0, linestyle=(0, (5, 3)))
    axes.yaxis.set_major_locator(LogLocator(base=10.0, numticks=6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_title(f"{shortened(panel.name, 60)}: good within {duration(panel.deadline_s)}", pad=4.0)
    axes.grid(axis="y", color=style.FAINT, linewidth=0.6)
    axes.set_axisbelow(True)


def _legend(drawn: Figure, height_in: float, *, shaded: bool) -> None:
    from matplotlib.artist import Artist
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = [Line2D([], [], color=colour, linewidth=1.6, label=name) for name, colour, _ in _LINES]
    handles.append(Line2D([], [], color=style.VERMILLION, linewidth=1.0, linestyle=(0, (5, 3)), label="deadline"))
    if shaded:
        handles.append(Patch(color=style.IMPACT, label="users hurt"))
    x, y = _LEFT_IN / style.WIDTH_IN, 1 - 0.04 / height_in
    drawn.legend(handles=handles, loc="upper left", bbox_to_anchor=(x, y), ncols=len(handles), borderpad=0, borderaxespad=0)
