"""Which pictures a study gets, and the same as tables.

The rule that surprises: a picture that would show nothing (one factor value, one point, nothing finite) is left out, not drawn empty.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gameday.report.plots import study as plots
from gameday.report.plots import style
from gameday.scores.kpis import KPIS
from gameday.study.effects import Effects
from gameday.study.estimates import judged, values_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gameday.study.answers import Answers, PointAnswer
    from gameday.study.effects import Index, Span
    from gameday.study.model import Response

MOST_CURVES: Final = 8
MOST_INTERACTIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with what it says in words, and its numbers as a table (heads first)."""

    title: str
    said: str
    svg: str
    table: tuple[tuple[str, ...], ...] = ()


def pictures(answers: Answers) -> list[Picture]:
    """All pictures of the report."""
    return [*pareto_pictures(answers), *sensitivity_pictures(answers), *exceedance_pictures(answers)]


def pareto_pictures(answers: Answers) -> list[Picture]:
    """The first response against each other one; with a price, each response against the price."""
    names = [one.name for one in answers.responses]
    if len(names) < 2 or len(answers.points) < 2:
        return []
    x = names.index("price") if "price" in names else 0
    found = []
    for y in (one for one in range(len(names)) if one != x):
        marks = [mark for one in answers.points if (mark := _mark(one, x, y)) is not None]
        if marks:
            figure = plots.pareto(marks, _axis(answers.responses[x]), _axis(answers.responses[y]))
            said = f"{sum(mark.on_front for mark in marks)} of {len(marks)} points are beaten by none beyond doubt, over all responses."
            found.append(_picture(f"{names[y]} against {names[x]}", said, figure, f"pareto-{y}"))
    return found


def _mark(one: PointAnswer, x: int, y: int) -> plots.Mark | None:
    ends = []
    for number in (x, y):
        found = one.estimates[number]
        if found.value is None or not math.isfinite(found.value):
            return None
        low = found.low if found.low is not None and math.isfinite(found.low) else found.value
        high = found.high if found.high is not None and math.isfinite(found.high) else found.value
        ends.append((found.value, low, high))
    return plots.Mark(one.label, ends[0], ends[1], one.beaten_by is None, one.allowed)


def sensitivity_pictures(answers: Answers) -> list[Picture]:
    """Main effects, the tornado, interactions and Sobol indices of each response that differs from day to day."""
    found: list[Picture] = []
    for number, response in enumerate(answers.responses):
        effects = Effects(answers, response)
        if response.is_of_the_point or len(answers.points) < 2 or not effects.usable:
            continue
        label = _axis(response)
        levels = effects.levels()
        groups: dict[str, list[tuple[str, float, float, float]]] = {}
        for one in levels:
            groups.setdefault(one.factor, []).append((one.level, one.value, one.low, one.high))
        groups = {factor: rows for factor, rows in groups.items() if len(rows) > 1}
        if not groups:
            continue
        table = [(one.factor, one.level, *map(_number, (one.value, one.low, one.high))) for one in levels]
        said = "Mean over the points at which a factor has a value, with a 95 % interval over days; lines guide the eye."
        heads = ("factor", "value", "mean", "low", "high")
        found.append(
            _picture(f"Main effects on {response.name}", said, plots.main_effects(groups, label), f"main-{number}", heads, table)
        )
        found.append(_tornado(response, effects.tornado(), label, number))
        for place, pair in enumerate(effects.interactions()[:MOST_INTERACTIONS]):
            said = f"Largest departure from the sum of both: {pair.size:.4g} ({pair.low:.4g} to {pair.high:.4g}). Parallel lines mean none."
            title = f"{pair.factors[0]} with {pair.factors[1]}: {response.name}"
            found.append(
                _picture(title, said, plots.interaction(pair.cells, pair.factors, label), f"interaction-{number}-{place}")
            )
        indices = effects.sobol() if answers.study.design.kind == "sobol" else []
        if indices:
            found.append(_sobol(response, indices, number))
    return found


def _tornado(response: Response, spans: Sequence[Span], label: str, number: int) -> Picture:
    bars = [(one.factor, one.span, one.low, one.high, f"{one.at[0]} -> {one.at[1]}") for one in spans]
    rows = [(one.factor, one.at[0], one.at[1], *map(_number, (one.span, one.low, one.high))) for one in spans]
    said = "How far each factor moves the mean, from its lowest to its highest value. An interval that holds 0 may be luck."
    figure = plots.bars(bars, label, "difference of means, 95 % interval over days")
    heads = ("factor", "lowest at", "highest at", "difference", "low", "high")
    return _picture(f"Tornado of {response.name}", said, figure, f"tornado-{number}", heads, rows)


def _sobol(response: Response, indices: Sequence[Index], number: int) -> Picture:
    bars = [
        (one.factor, one.total, one.total - one.total_half, one.total + one.total_half, f"first order {one.first:.2f}")
        for one in indices
    ]
    rows = [
        (one.factor, f"{one.first:.3f}", f"+-{one.first_half:.3f}", f"{one.total:.3f}", f"+-{one.total_half:.3f}")
        for one in indices
    ]
    said = (
        "Share of the variance over the design that is owed to each factor, alone (first order) and with its interactions (total), by "
        "Saltelli's scheme with SALib. What is left of the noise of few replications counts as interaction."
    )
    heads = ("factor", "first order", "", "total", "")
    return _picture(
        f"Sobol indices of {response.name}", said, plots.bars(bars, "total index", ""), f"sobol-{number}", heads, rows
    )


def exceedance_pictures(answers: Answers) -> list[Picture]:
    """How often each of the best points is worse than x."""
    found = []
    for number, response in enumerate(answers.responses):
        if response.is_of_the_point or (response.of in KPIS and KPIS[response.of].better == "higher"):
            continue
        curves = [
            (one.label, values) for one in answers.points[:MOST_CURVES] if (values := judged(values_of(response, one.rows)))
        ]
        if not any(math.isfinite(value) for _, values in curves for value in values):
            continue
        rest = f" Shown are the {len(curves)} points that rank first." if len(answers.points) > len(curves) else ""
        said = (
            f"The share of days that are worse than x: where a curve crosses 'one in twenty', one day in twenty is worse.{rest}"
        )
        title = f"How often {response.of} is worse than x"
        found.append(_picture(title, said, plots.exceedance(curves, _axis(response, of=True)), f"exceedance-{number}"))
    return found


def _number(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "no end"


def _axis(response: Response, *, of: bool = False) -> str:
    unit = "" if response.statistic == "pass_rate" and not of else KPIS[response.of].unit if response.of in KPIS else ""
    return (response.of if of else response.name) + (f" [{unit}]" if unit else "")


def _picture(
    title: str, said: str, figure: Figure, key: str, heads: tuple[str, ...] = (), rows: Sequence[tuple[str, ...]] = ()
) -> Picture:
    return Picture(title, said, style.svg(figure, key, title, said), (heads, *rows) if rows else ())
