"""Pictures of studies: the Pareto front, main effects, interactions, the tornado, Sobol indices, curves of exceedance.

The rule that surprises: every mark has its interval, and a point that nothing beats beyond doubt stays on the front.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gameday.report import words
from gameday.report.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS: Final = (style.BLUE, style.VERMILLION, style.GREEN, style.ORANGE, style.PURPLE, style.SKY, style.INK, style.YELLOW)


SAME_PX: Final = 8.0
"""Distance of marks that share a label."""
WIDE: Final = 300.0
"""Largest over smallest value from which an axis is logarithmic."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of a design in two responses: value, low, high of each."""

    label: str
    x: tuple[float, float, float]
    y: tuple[float, float, float]
    on_front: bool
    allowed: str
    lower: tuple[bool, bool] = (True, True)
    """Whether lower is better, for each."""


def pareto(marks: Sequence[Mark], x_label: str, y_label: str) -> Figure:
    """Two responses against each other."""
    shown = [mark for mark in marks if all(map(math.isfinite, (*mark.x, *mark.y)))]
    if not shown:
        return style.empty("No point has an interval with two ends in both responses.")
    with style.drawing():
        drawn = style.new_figure(5.4)
        axes = drawn.add_axes((0.08, 0.13, 0.60, 0.80))
        for mark in shown:
            colour = style.BLUE if mark.on_front else style.GREY
            face = colour if mark.allowed == "yes" else "white"
            axes.errorbar(
                mark.x[0], mark.y[0],
                xerr=[[max(0.0, mark.x[0] - mark.x[1])], [max(0.0, mark.x[2] - mark.x[0])]],
                yerr=[[max(0.0, mark.y[0] - mark.y[1])], [max(0.0, mark.y[2] - mark.y[0])]],
                fmt="o", color=colour, markerfacecolor=face, markersize=7, elinewidth=1.4, capsize=2.5, alpha=1.0 if mark.on_front else 0.55,
            )  # fmt: skip
        front = [mark for mark in shown if mark.on_front]
        if _is_wide([mark.x for mark in shown]):
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(_plain)
        if _is_wide([mark.y for mark in shown]):
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(_plain)
        # Where marks lie close together, numbers stay readable and the legend names them.
        for numbers, place in _labels(axes, front):
            axes.annotate(
                numbers,
                place,
                xytext=(6, 5),
                textcoords="offset points",
                fontsize=style.SMALL_PT,
                weight="bold",
            )
        lines = [f"{number}  {words.shortened(mark.label, 52)}" for number, mark in enumerate(front[:22], 1)]
        lines += [f"and {len(front) - 22} more on the front"] if len(front) > 22 else []
        drawn.text(0.70, 0.93, "nothing beats, beyond doubt:", fontsize=style.SMALL_PT, weight="bold", va="top")
        drawn.text(0.70, 0.885, "\n".join(lines), fontsize=style.SMALL_PT, va="top", linespacing=1.5)
        drawn.text(
            0.70,
            0.13,
            "grey: beaten; hollow: a limit is missed or unclear\nbars: 95 % intervals",
            fontsize=style.SMALL_PT,
            color=style.GREY,
        )
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        _grid(axes)
    return drawn


def _is_wide(intervals: Sequence[tuple[float, float, float]]) -> bool:
    """Whether the values span more than a linear axis shows: what is small is not zero."""
    least, most = min(map(min, intervals)), max(map(max, intervals))
    return least > 0 and most > WIDE * least


def _plain(value: float, _: float) -> str:
    return f"{value:g}"


def _labels(axes: Axes, front: Sequence[Mark]) -> list[tuple[str, tuple[float, float]]]:
    """The numbers of the marks, those that lie on each other in one label; and where they stand."""
    found: dict[tuple[int, int], list[int]] = {}
    for number, mark in enumerate(front):
        x, y = axes.transData.transform((mark.x[0], mark.y[0]))
        found.setdefault((round(x / SAME_PX), round(y / SAME_PX)), []).append(number)
    places = [(", ".join(str(one + 1) for one in numbers), front[numbers[0]]) for numbers in found.values()]
    return [(text, (mark.x[0], mark.y[0])) for text, mark in places]


def main_effects(groups: Mapping[str, Sequence[tuple[str, float, float, float]]], label: str) -> Figure:
    """For each factor its values with the mean of the response."""
    if not groups:
        return style.empty("No factor has more than one value.")
    with style.drawing():
        drawn = style.new_figure(3.4)
        all_axes = drawn.subplots(1, len(groups), sharey=True, squeeze=False)[0]
        drawn.subplots_adjust(left=0.07, right=min(0.98, 0.07 + 0.24 * len(groups)), top=0.88, bottom=0.26, wspace=0.12)
        for axes, (factor, levels) in zip(all_axes, groups.items(), strict=True):
            places = range(len(levels))
            values = [one[1] for one in levels]
            errors = [[_whisker(one[1] - one[2]) for one in levels], [_whisker(one[3] - one[1]) for one in levels]]
            axes.errorbar(places, values, yerr=errors, fmt="o-", color=style.BLUE, capsize=3, markersize=6)
            axes.set_xticks(list(places), [words.shortened(one[0], 16) for one in levels], rotation=25 if len(levels) > 3 else 0)
            axes.set_xlim(-0.4, len(levels) - 0.6)
            axes.set_title(factor)
            _grid(axes)
        all_axes[0].set_ylabel(label)
    return drawn


def _whisker(length: float) -> float:
    """An interval without an end has none that could be drawn; the table says so."""
    return max(0.0, length) if math.isfinite(length) else 0.0


def interaction(cells: Mapping[tuple[str, str], float], factors: tuple[str, str], label: str) -> Figure:
    """One line for each value of the second factor; lines that are not parallel are an interaction."""
    with style.drawing():
        drawn = style.new_figure(3.6)
        axes = drawn.add_axes((0.07, 0.2, 0.42, 0.72))
        columns = list(dict.fromkeys(one for one, _ in cells))
        for number, row in enumerate(dict.fromkeys(other for _, other in cells)):
            values = [cells[column, row] for column in columns]
            axes.plot(range(len(columns)), values, "o-", color=_COLOURS[number % len(_COLOURS)], label=f"{factors[1]}={row}")
        axes.set_xticks(range(len(columns)), [words.shortened(one, 18) for one in columns])
        axes.set_xlabel(factors[0])
        axes.set_ylabel(label)
        axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0)
        _grid(axes)
    return drawn


def bars(rows: Sequence[tuple[str, float, float, float, str]], label: str, key: str) -> Figure:
    """Horizontal bars with intervals (the tornado, Sobol indices): name, value, low, high, what to say at its end."""
    if not rows:
        return style.empty("There is nothing to show.")
    with style.drawing():
        height = 0.9 + 0.42 * len(rows)
        drawn = style.new_figure(height)
        axes = drawn.add_axes((0.18, 0.55 / height, 0.50, 1 - 0.75 / height))
        for place, (_, value, low, high, said) in enumerate(rows):
            axes.barh(place, value, color=style.SKY, height=0.62)
            axes.plot([low, high], [place, place], color=style.INK, linewidth=1.6)
            axes.text(1.02, place, said, transform=axes.get_yaxis_transform(), va="center", fontsize=style.SMALL_PT)
        axes.set_yticks(range(len(rows)), [words.shortened(one[0], 34) for one in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel(f"{label} ({key})" if key else label)
        _grid(axes, "x")
    return drawn


def exceedance(curves: Sequence[tuple[str, Sequence[float]]], label: str) -> Figure:
    """How often it is worse than x, point by point, on a log scale of shares; what never happened stays above every x."""
    with style.drawing():
        drawn = style.new_figure(4.4)
        axes = drawn.add_axes((0.07, 0.14, 0.56, 0.80))
        least = 1.0
        for number, (name, values) in enumerate(curves):
            ordered = sorted(values)
            finite = [one for one in ordered if math.isfinite(one)]
            if not finite:
                continue
            shares = [1 - (i + 1) / len(ordered) for i in range(len(finite))]
            least = min(least, 1 / len(ordered))
            x = [finite[0], *(one for one in finite for _ in (0, 1))]
            y = [1.0, *(one for before, after in zip([1.0, *shares], shares, strict=False) for one in (before, after))]
            axes.plot(
                x, [max(one, least / 2) for one in y], color=_COLOURS[number % len(_COLOURS)], label=words.shortened(name, 46)
            )
        axes.set_yscale("log")
        axes.set_ylim(least / 2, 1.05)
        ticks = [(1.0, "always"), (0.5, "one in two"), (0.1, "one in ten"), (0.05, "one in twenty"), (0.01, "one in a hundred")]
        axes.set_yticks([tick for tick, _ in ticks if tick >= least / 2], [text for tick, text in ticks if tick >= least / 2])
        axes.minorticks_off()
        axes.set_xlabel(label)
        axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0)
        _grid(axes)
    return drawn


def _grid(axes: Axes, which: Any = "both") -> None:
    axes.grid(axis=which, color=style.FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
