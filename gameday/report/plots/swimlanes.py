"""The run as swim lanes over time, with the time in which users were hurt shaded behind all of them.

The rule that surprises: rows are as high as the text, so the picture grows with what happened; a crowded lane shows numbers, and
the numbers are explained under the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gameday.report.plots import style
from gameday.report.plots.lanes import Lane
from gameday.report.plots.placing import Item, LaneLayout, Measure, Placed, Ruler, extent, place
from gameday.report.words import clock, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW_PT: Final = 15.0
_LANE_GAP_PT: Final = 8.0
_LEFT_PT: Final = 92.0
_RIGHT_PT: Final = 14.0
_TOP_PT: Final = 8.0
_AXIS_PT: Final = 38.0
_LEGEND_ROW_PT: Final = 13.0
_LEGEND_COLUMNS: Final = 2


@dataclass(frozen=True, slots=True)
class _Band:
    """A lane with its layout and the vertical room it takes, points from the top of the axes."""

    lane: Lane
    layout: LaneLayout
    top_pt: float

    @property
    def height_pt(self) -> float:
        return self.layout.rows * _ROW_PT + _LANE_GAP_PT


def figure(lanes: Sequence[Lane], start_s: float, end_s: float, impact: Sequence[tuple[float, float]] = ()) -> Figure:
    """The lanes from `start_s` to `end_s`, `impact` shaded."""
    if not lanes:
        return style.empty("Nothing happened: the timeline holds no fault, no alert, no message.")
    with style.drawing():
        width_pt = style.WIDTH_IN * 72.0 - _LEFT_PT - _RIGHT_PT
        bands = _bands(lanes, Ruler(start_s, end_s, width_pt), _measure())
        legend = [entry for band in bands for entry in band.layout.legend]
        body_pt = sum(band.height_pt for band in bands)
        legend_pt = _LEGEND_ROW_PT * -(-len(legend) // _LEGEND_COLUMNS) + (10.0 if legend else 0.0)
        total_pt = _TOP_PT + body_pt + _AXIS_PT + legend_pt
        drawn = style.new_figure(total_pt / 72.0)
        axes = drawn.add_axes(
            (
                _LEFT_PT / (style.WIDTH_IN * 72.0),
                (_AXIS_PT + legend_pt) / total_pt,
                width_pt / (style.WIDTH_IN * 72.0),
                body_pt / total_pt,
            )
        )
        axes.set_ylim(body_pt, 0.0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        style.time_axis(axes, start_s, end_s)
        axes.grid(axis="x", color=style.FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        style.shade(axes, list(impact))
        for number, band in enumerate(bands):
            _draw_band(axes, band, number, start_s, end_s)
        _draw_legend(drawn, legend, total_pt, legend_pt, hours=end_s > 5400)
    return drawn


def _measure() -> Measure:
    """Widths of labels as the Agg backend draws them, in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    metrics = TextToPath()
    font = FontProperties(family=["DejaVu Sans"], size=style.SMALL_PT)

    def width(text: str) -> float:
        return float(metrics.get_text_width_height_descent(text, font, ismath=False)[0])

    return width


def _bands(lanes: Sequence[Lane], ruler: Ruler, measure: Measure) -> list[_Band]:
    bands: list[_Band] = []
    top, number = 0.0, 1
    for lane in lanes:
        layout = place(lane.items, ruler, measure, number)
        number += len(layout.legend)
        lines = lane.name.count("\n") + 1
        layout = LaneLayout(layout.placed, max(layout.rows, lines), layout.legend)
        bands.append(_Band(lane, layout, top))
        top += bands[-1].height_pt
    return bands


def _draw_band(axes: Axes, band: _Band, number: int, start_s: float, end_s: float) -> None:
    from matplotlib.transforms import blended_transform_factory

    middle = band.top_pt + band.height_pt / 2
    if number:
        axes.axhline(band.top_pt, color=style.GREY, linewidth=0.5, clip_on=False)
    across = blended_transform_factory(axes.transAxes, axes.transData)
    axes.text(
        -0.008, middle, band.lane.name, transform=across, ha="right", va="center", fontweight="bold", fontsize=style.TEXT_PT
    )
    ruler = Ruler(start_s, end_s, float(style.WIDTH_IN * 72.0 - _LEFT_PT - _RIGHT_PT))
    for placed in band.layout.placed:
        _draw_item(axes, placed, ruler, band.top_pt + _LANE_GAP_PT / 2 + (placed.row + 0.5) * _ROW_PT)


def _draw_item(axes: Axes, placed: Placed, ruler: Ruler, y: float) -> None:
    item = placed.item
    per_point = (ruler.end_s - ruler.start_s) / ruler.width_pt
    left, right = extent(item, ruler)
    if item.end_s is None:
        x = ruler.start_s + ruler.at(item.start_s) * per_point
        axes.plot(
            [x], [y], item.marker, color=item.colour, markersize=6.5, markeredgecolor="white", markeredgewidth=0.5, clip_on=False
        )
    else:
        axes.barh(
            y,
            (right - left) * per_point,
            left=ruler.start_s + left * per_point,
            height=_ROW_PT * 0.68,
            color=_tint(item.colour),
            edgecolor=item.colour,
            linewidth=0.9,
        )
        if item.open_ended:
            axes.plot([ruler.end_s], [y], ">", color=item.colour, markersize=6.0, clip_on=False)
    axes.text(
        ruler.start_s + placed.text_x_pt * per_point, y, placed.text, ha="left", va="center_baseline", fontsize=style.SMALL_PT
    )


def _tint(colour: str) -> tuple[float, float, float]:
    """The colour mixed with white, light enough for dark text on it."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(colour)
    share = 0.45
    return (1 - share + share * red, 1 - share + share * green, 1 - share + share * blue)


def _draw_legend(drawn: Figure, legend: Sequence[tuple[str, Item]], total_pt: float, legend_pt: float, *, hours: bool) -> None:
    """The numbers and what they stand for, in columns under the axis, read down the first column first."""
    rows = -(-len(legend) // _LEGEND_COLUMNS)
    for position, (number, item) in enumerate(legend):
        column, row = divmod(position, rows)
        x = (_LEFT_PT + column * (style.WIDTH_IN * 72.0 - _LEFT_PT) / _LEGEND_COLUMNS) / (style.WIDTH_IN * 72.0)
        y = (legend_pt - (row + 0.7) * _LEGEND_ROW_PT) / total_pt
        words = shortened(f"{clock(item.start_s, hours=hours)}  {item.label}", 66)
        drawn.text(x, y, f"{number}", ha="right", fontsize=style.SMALL_PT, fontweight="bold")
        drawn.text(x + 0.006, y, words, ha="left", fontsize=style.SMALL_PT)
