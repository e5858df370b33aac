"""The system drawn as boxes in boxes: regions, what stands in them, what calls what, coloured by what the run did to it.

The rule that surprises: the same service stands at the same place in every region, so two regions can be compared at a glance; a
line that leaves its region is drawn lightly from box to box.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gameday.report.plots import style
from gameday.report.plots.layered import Layout, layered
from gameday.report.plots.system_graph import OUTSIDE, Edge, Node, SystemGraph, system_graph

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW_PT: Final = 40.0
_BOX_PT: Final = 29.0
_TITLE_PT: Final = 24.0
_REGION_GAP_PT: Final = 12.0
_MARGIN_PT: Final = 10.0
_LEGEND_PT: Final = 26.0
_WIDEST_BOX_PT: Final = 124.0

_FILLS: Final[Mapping[str, str]] = {"down": "#F0884A", "reduced": "#F8CBA8", "refusing": "#F6DE7E", "touched": "#CFE6F5"}
_WORDS: Final[Mapping[str, str]] = {
    "down": "nothing of it ran for a time",
    "reduced": "fewer instances for a time",
    "refusing": "refused requests",
    "touched": "its role changed",
}
_SHAPES: Final[Mapping[str, str]] = {
    "clients": "round,pad=0,rounding_size=13",
    "service": "round,pad=0,rounding_size=3",
    "database": "round,pad=0,rounding_size=9",
    "queue": "round,pad=0,rounding_size=3",
    "provider": "round,pad=0,rounding_size=3",
}


def figure(graph: SystemGraph) -> Figure:
    """The picture of a system, with its impact if it carries any."""
    if not graph.nodes:
        return style.empty("The scenario names no services.")
    layout = layered(_keys(graph), _links(graph), _at_least(graph))
    with style.drawing():
        inner_pt = layout.rows * _ROW_PT
        region_pt = inner_pt + _TITLE_PT + 6.0
        regions = list(graph.regions)
        legend_pt = _LEGEND_PT if graph.impact or graph.hit or graph.hit_zones else 0.0
        total_pt = len(regions) * region_pt + (len(regions) - 1) * _REGION_GAP_PT + 2 * _MARGIN_PT + legend_pt
        width_pt = style.WIDTH_IN * 72.0
        drawn = style.new_figure(total_pt / 72.0)
        axes = drawn.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0.0, width_pt)
        axes.set_ylim(total_pt, 0.0)
        axes.set_axis_off()
        canvas = _Canvas(axes, graph, layout, width_pt, region_pt)
        for number, region in enumerate(regions):
            canvas.region(region, _MARGIN_PT + number * (region_pt + _REGION_GAP_PT))
        canvas.outside(_MARGIN_PT, total_pt - legend_pt - _MARGIN_PT)
        canvas.edges()
        canvas.boxes()
        if legend_pt:
            _legend(axes, graph, total_pt - legend_pt / 2)
    return drawn


def write_graph(description: Any, picture: Path) -> None:
    """Write the system of a scenario (or of anything that has one as `scenario`) as SVG, or as PNG where the name says so."""
    from gameday.atomic_files import write_atomically

    scenario = getattr(description, "scenario", description)
    drawn = figure(system_graph(scenario.system, scenario.load))
    if picture.suffix.lower() == ".png":
        write_atomically(picture, style.png(drawn))
        return
    title = f"The system of {scenario.name}"
    write_atomically(
        picture, style.svg_file(drawn, title, "Regions with their services, databases and queues, and what calls what.")
    )


def _keys(graph: SystemGraph) -> list[str]:
    return list(dict.fromkeys(node.key for node in graph.nodes))


def _links(graph: SystemGraph) -> list[tuple[str, str]]:
    return list(dict.fromkeys((edge.source.key, edge.target.key) for edge in graph.edges))


def _at_least(graph: SystemGraph) -> dict[str, int]:
    """Third parties stand in the last column, which no region's box covers."""
    plain = layered(_keys(graph), _links(graph))
    inside = [plain.column[node.key] for node in graph.nodes if node.kind != "provider"]
    return {node.key: max(inside, default=0) + 1 for node in graph.nodes if node.kind == "provider"}


class _Canvas:
    """Draws one graph; keeps where every box is."""

    def __init__(self, axes: Axes, graph: SystemGraph, layout: Layout, width_pt: float, region_pt: float) -> None:
        from matplotlib.font_manager import FontProperties
        from matplotlib.textpath import TextToPath

        self._axes = axes
        self._graph = graph
        self._layout = layout
        self._region_pt = region_pt
        self._pitch = (width_pt - 2 * _MARGIN_PT) / layout.columns
        self._box_pt = min(_WIDEST_BOX_PT, self._pitch - 28.0)
        self._centre: dict[tuple[str, str], tuple[float, float]] = {}
        self._top: dict[str, float] = {}
        metrics = TextToPath()

        def measure(text: str, size: float) -> float:
            font = FontProperties(family=["DejaVu Sans"], size=size)
            return float(metrics.get_text_width_height_descent(text, font, ismath=False)[0])

        self._measure: Callable[[str, float], float] = measure

    def region(self, name: str, top: float) -> None:
        """A region's box with its zones, and the centres of what stands in it."""
        from matplotlib.patches import FancyBboxPatch

        columns = self._layout.columns - any(node.kind == "provider" for node in self._graph.nodes)
        zones = self._graph.regions[name]
        lost = [zone for zone in zones if zone in self._graph.hit_zones]
        box = FancyBboxPatch(
            (_MARGIN_PT, top),
            columns * self._pitch - 4.0,
            self._region_pt,
            boxstyle="round,pad=0,rounding_size=6",
            facecolor="#FBF1EB" if lost else style.PALE,
            edgecolor=style.VERMILLION if lost else style.GREY,
            linewidth=1.6 if lost else 0.8,
            linestyle=(0, (4, 2)) if lost else "-",
        )
        self._axes.add_patch(box)
        words = f"{name}   zones {', '.join(zones)}"
        if lost:
            words += "   fault: whole region" if len(lost) == len(zones) else f"   fault: {', '.join(lost)}"
        ends = sorted(end for region, end in self._graph.hit_links if region == name)
        if ends:
            words += (
                f"   fault: link{'s' if len(ends) > 1 else ''} to {', '.join('itself' if end == name else end for end in ends)}"
            )
        room = columns * self._pitch - 24.0
        self._axes.text(
            _MARGIN_PT + 8.0,
            top + _TITLE_PT / 2 + 1.0,
            self._fitting(words, style.TEXT_PT, room),
            va="center",
            fontweight="bold",
            fontsize=style.TEXT_PT,
        )
        self._top[name] = top + _TITLE_PT
        for node in self._graph.nodes:
            if node.region == name:
                self._centre[node.key, name] = self._point(name, self._layout.column[node.key], self._layout.height[node.key])

    def outside(self, top: float, bottom: float) -> None:
        """Third parties: evenly spread in the column beside the regions."""
        outside = [node for node in self._graph.nodes if node.region == OUTSIDE]
        outside.sort(key=lambda node: self._layout.height[node.key])
        for i, node in enumerate(outside):
            y = top + (bottom - top) * (i + 1) / (len(outside) + 1)
            self._centre[node.key, OUTSIDE] = (_MARGIN_PT + (self._layout.column[node.key] + 0.5) * self._pitch, y)

    def _point(self, region: str, column: int, height: float) -> tuple[float, float]:
        return _MARGIN_PT + (column + 0.5) * self._pitch, self._top[region] + (height + 0.5) * _ROW_PT

    def edges(self) -> None:
        """Lines under the boxes."""
        for edge in self._graph.edges:
            points = [self._side(edge.source, 1)]
            stays = edge.target.region in (edge.source.region, OUTSIDE)
            if stays:
                bends = self._layout.bends.get((edge.source.key, edge.target.key), ())
                for column, height in bends:  # straight through the column, so that the line passes between its boxes
                    x, y = self._point(edge.source.region, column, height)
                    points += [(x - self._box_pt / 2 - 4.0, y), (x + self._box_pt / 2 + 4.0, y)]
            points.append(self._side(edge.target, -1))
            if points[-1][0] <= points[0][0] and edge.source.key != edge.target.key:
                points = [self._side(edge.source, -1), self._side(edge.target, 1)]
            self._line(points, edge, leaves=edge.source.region != edge.target.region)

    def _line(self, points: list[tuple[float, float]], edge: Edge, *, leaves: bool) -> None:
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path as Outline

        vertices, codes = [points[0]], [int(Outline.MOVETO)]
        for a, b in itertools.pairwise(points):
            half = (b[0] - a[0]) / 2
            vertices += [(a[0] + half, a[1]), (b[0] - half, b[1]), b]
            codes += [int(Outline.CURVE4)] * 3
        dashes = "-" if edge.required and edge.waited_for else (0, (4, 2)) if edge.waited_for else (0, (1, 2))
        arrow = FancyArrowPatch(
            path=Outline(vertices, codes),
            arrowstyle="-|>",
            mutation_scale=7.0,
            color="#aab1bb" if leaves else style.GREY,
            linewidth=0.7 if leaves else 0.9,
            linestyle=dashes,
            shrinkA=0.0,
            shrinkB=0.0,
            zorder=1.5 if leaves else 2.0,
        )
        self._axes.add_patch(arrow)

    def _side(self, node: Node, direction: int) -> tuple[float, float]:
        x, y = self._centre[node.key, node.region]
        return x + direction * self._box_pt / 2, y

    def boxes(self) -> None:
        """Everything that is not a region."""
        from matplotlib.patches import FancyBboxPatch

        for node in self._graph.nodes:
            x, y = self._centre[node.key, node.region]
            impact = self._graph.impact.get((node.key, node.region))
            hit = (node.key, node.region) in self._graph.hit
            fill = _FILLS[impact.level] if impact else "#e8ecf1" if node.kind == "clients" else "white"
            patch = FancyBboxPatch(
                (x - self._box_pt / 2, y - _BOX_PT / 2),
                self._box_pt,
                _BOX_PT,
                boxstyle=_SHAPES[node.kind],
                facecolor=fill,
                edgecolor=style.VERMILLION if hit else style.INK,
                linewidth=2.2 if hit else 0.8,
                linestyle=(0, (4, 2)) if node.kind in {"provider", "clients"} and not hit else "-",
                zorder=3.0,
            )
            self._axes.add_patch(patch)
            room = self._box_pt - 8.0
            size = style.SMALL_PT if self._measure(node.name, style.SMALL_PT) <= room else style.SMALL_PT - 1.5
            name = self._fitting(node.name, size, room)
            words = impact.text if impact else f"{_prefix(node)}{node.detail}"
            if self._measure(words, style.SMALL_PT - 1.5) > room:
                words = words.partition(" (")[0]
            detail = self._fitting(words, style.SMALL_PT - 1.5, room)
            self._axes.text(x, y - 5.6, name, ha="center", va="center", fontsize=size, zorder=4.0)
            self._axes.text(x, y + 6.4, detail, ha="center", va="center", fontsize=style.SMALL_PT - 1.5, zorder=4.0)

    def _fitting(self, text: str, size: float, room: float) -> str:
        """The text, cut in the middle until it fits."""
        from gameday.report.words import shortened_in_the_middle

        longest = len(text)
        cut = text
        while longest > 3 and self._measure(cut, size) > room:
            longest -= 1
            cut = shortened_in_the_middle(text, longest)
        return cut


def _prefix(node: Node) -> str:
    return "db: " if node.kind == "database" else ""


def _legend(axes: Axes, graph: SystemGraph, y: float) -> None:
    from matplotlib.patches import Rectangle

    used = {impact.level for impact in graph.impact.values()}
    entries = [(_FILLS[level], style.INK, 0.8, _WORDS[level]) for level in _FILLS if level in used]
    if graph.hit or graph.hit_zones:
        entries.append(("white", style.VERMILLION, 2.2, "a fault was aimed at it"))
    x = _MARGIN_PT
    for fill, edge, width, words in entries:
        axes.add_patch(Rectangle((x, y - 5.0), 16.0, 10.0, facecolor=fill, edgecolor=edge, linewidth=width))
        axes.text(x + 21.0, y, words, va="center", fontsize=style.SMALL_PT)
        x += 52.0 + 5.4 * len(words)
