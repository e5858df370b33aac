"""Where the labels of a swim lane go, so that none lies on another: pure geometry in points, no drawing.

The rule that surprises: a lane that would need too many rows first trades its labels for numbers with a legend, the same number for
the same label; if that is not enough, what begins close together is bundled, except for what is marked as a landmark. The counts in
the legend leave nothing out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from gameday.report.words import shortened

MOST_ROWS: Final = 9
"""Rows a lane may have before its labels become numbers."""
MARKER_PT: Final = 8.0
"""Width of the marker of a single instant."""
GAP_PT: Final = 5.0
"""Least distance between two things in a row."""
_FIRST_BUNDLE_PT: Final = 14.0
_LONGEST_IN_BUNDLE: Final = 30
"""Characters of a label in a legend of many."""

Side = Literal["inside", "right", "left"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a lane: an instant (`end_s` None) or a time from `start_s` to `end_s`."""

    start_s: float
    end_s: float | None
    label: str
    colour: str
    marker: str = "o"
    """Shape of an instant, in matplotlib's letters."""
    open_ended: bool = False
    """Whether it had not ended when the run did."""
    landmark: bool = False
    """Whether it is never bundled with others."""
    members: int = 1
    """How many things it bundles."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An item with its row, the side its label is on, and where the label begins (points from the left edge of the lane)."""

    item: Item
    row: int
    side: Side
    text: str
    text_x_pt: float


@dataclass(frozen=True, slots=True)
class LaneLayout:
    """A lane with everything placed; `legend` explains the numbers, when there are some."""

    placed: tuple[Placed, ...]
    rows: int
    legend: tuple[tuple[str, Item], ...] = ()


Measure = Callable[[str], float]
"""Width of a text in points."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """Turns seconds into points: a lane is `width_pt` wide and shows `start_s` to `end_s`."""

    start_s: float
    end_s: float
    width_pt: float

    def at(self, time_s: float) -> float:
        """Points from the left edge; times outside are put on the edge."""
        share = (time_s - self.start_s) / max(self.end_s - self.start_s, 1e-9)
        return min(max(share, 0.0), 1.0) * self.width_pt


def place(items: Sequence[Item], ruler: Ruler, measure: Measure, first_number: int = 1) -> LaneLayout:
    """Place a lane: with labels if they fit into `MOST_ROWS` rows, else with numbers from `first_number`, else bundled."""
    ordered = sorted(items, key=lambda item: (item.start_s, -(item.end_s or item.start_s), item.label))
    placed = _rows(ordered, [item.label for item in ordered], ruler, measure)
    if _height(placed) <= MOST_ROWS:
        return LaneLayout(tuple(placed), _height(placed))
    by_label: dict[str, list[Item]] = {}
    for item in ordered:
        by_label.setdefault(item.label, []).append(item)
    numbers = {label: str(first_number + i) for i, label in enumerate(by_label)}
    placed = _rows(ordered, [numbers[item.label] for item in ordered], ruler, measure)
    if _height(placed) <= MOST_ROWS:
        return LaneLayout(tuple(placed), _height(placed), tuple((numbers[label], _all(same)) for label, same in by_label.items()))
    width_pt = _FIRST_BUNDLE_PT
    while True:
        bundled = _bundled(ordered, ruler, width_pt)
        crowds = [item for item in bundled if item.members > 1]
        names = {id(item): str(first_number + i) for i, item in enumerate(crowds)}
        texts = [f"[{names[id(item)]}] {item.members} entries" if id(item) in names else item.label for item in bundled]
        placed = _rows(bundled, texts, ruler, measure)
        if _height(placed) <= MOST_ROWS or width_pt > ruler.width_pt:
            legend = tuple((names[id(item)], item) for item in crowds)
            return LaneLayout(tuple(placed), _height(placed), legend)
        width_pt *= 1.5


def _height(placed: Sequence[Placed]) -> int:
    return 1 + max((one.row for one in placed), default=-1)


def _rows(items: Sequence[Item], texts: Sequence[str], ruler: Ruler, measure: Measure) -> list[Placed]:
    """Each into the first row in which neither its bar nor its label touches another."""
    taken: list[list[tuple[float, float]]] = []
    placed: list[Placed] = []
    for item, text in zip(items, texts, strict=True):
        left, right = extent(item, ruler)
        side, text_x, low, high = _label(left, right, measure(text), ruler, instant=item.end_s is None)
        row = 0
        while row < len(taken) and any(low < b + GAP_PT and a < high + GAP_PT for a, b in taken[row]):
            row += 1
        if row == len(taken):
            taken.append([])
        taken[row].append((low, high))
        placed.append(Placed(item, row, side, text, text_x))
    return placed


def extent(item: Item, ruler: Ruler) -> tuple[float, float]:
    """Left and right edge of an item's bar or marker, points; a short bar is drawn wide enough to be seen."""
    left = ruler.at(item.start_s)
    if item.end_s is None:
        return left - MARKER_PT / 2, left + MARKER_PT / 2
    return left, max(ruler.at(item.end_s), left + 3.0)


def _label(left: float, right: float, width: float, ruler: Ruler, *, instant: bool) -> tuple[Side, float, float, float]:
    if not instant and width + 6.0 <= right - left:
        return "inside", left + 3.0, left, right
    if right + 3.0 + width <= ruler.width_pt:
        return "right", right + 3.0, left, right + 3.0 + width
    if left - 3.0 - width >= 0:
        return "left", left - 3.0 - width, left - 3.0 - width, right
    start = max(0.0, ruler.width_pt - width)
    return "inside", start, min(left, start), max(right, start + width)


def _all(same: list[Item]) -> Item:
    """The first of several things with one label, which then says how many there are."""
    return same[0] if len(same) == 1 else replace(same[0], label=f"{same[0].label} (x{len(same)})", members=len(same))


def _bundled(items: Sequence[Item], ruler: Ruler, width_pt: float) -> list[Item]:
    """Items that begin within `width_pt` of the first of their bundle become one; landmarks, and a bundle of one, stay."""
    bundles: list[list[Item]] = []
    alone = [item for item in items if item.landmark]
    for item in items:
        if item.landmark:
            continue
        if bundles and ruler.at(item.start_s) - ruler.at(bundles[-1][0].start_s) < width_pt:
            bundles[-1].append(item)
        else:
            bundles.append([item])
    return sorted([*alone, *map(_bundle, bundles)], key=lambda item: item.start_s)


def _bundle(items: list[Item]) -> Item:
    if len(items) == 1:
        return items[0]
    counted: dict[str, int] = {}
    for item in items:
        label = shortened(item.label, _LONGEST_IN_BUNDLE)
        counted[label] = counted.get(label, 0) + 1
    names = [label if times == 1 else f"{label} (x{times})" for label, times in counted.items()]
    label = f"{len(items)}: {', '.join(names)}"
    return replace(items[0], end_s=None, label=label, marker="s", members=len(items), open_ended=False)
