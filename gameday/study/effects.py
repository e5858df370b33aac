"""What each factor does: main effects, interactions, the tornado, and Sobol indices, each with its uncertainty.

The rule that surprises: the intervals come from drawing days, not points. All points were played on the same days, so a drawn set of days is
drawn for all of them at once, and what the days have in common cancels out of the differences.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gameday.statistics import Floats
from gameday.study.estimates import values_of
from gameday.study.model import Response, target_of

if TYPE_CHECKING:
    from gameday.study.answers import Answers, PointAnswer

DRAWS: Final = 400
NEEDED: Final = 2
"""Days without which nothing can be drawn."""


@dataclass(frozen=True, slots=True)
class Level:
    """The mean of a response over the points at which a factor has a value."""

    factor: str
    level: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Span:
    """How far a factor moves a response, from the mean of its best value to that of its worst."""

    factor: str
    at: tuple[str, str]
    """The values with the lowest and the highest mean."""
    low_mean: float
    high_mean: float
    span: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Interaction:
    """How far two factors together depart from the sum of what each does."""

    factors: tuple[str, str]
    cells: dict[tuple[str, str], float]
    """Mean of the response at each combination."""
    size: float
    """Largest departure."""
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Index:
    """Share of the variance of a response over the design that is owed to a factor."""

    factor: str
    first: float
    first_half: float
    """Half-width of its 95 % interval."""
    total: float
    """Its interactions included."""
    total_half: float


class Effects:
    """One response over all points."""

    def __init__(self, answers: Answers, response: Response) -> None:
        """Only days that every point has count."""
        self.answers, self.response = answers, response
        self.points: list[PointAnswer] = sorted(answers.points, key=lambda one: one.number)
        days = min((len(one.rows) for one in self.points), default=0)
        raw = np.array([values_of(response, one.rows[:days]) for one in self.points], dtype=np.float64)
        self.values: Floats = np.where(np.isneginf(raw), np.nan, raw)
        self.days = days

    @property
    def usable(self) -> bool:
        """Whether every point has a finite value."""
        return self.days >= NEEDED and bool(np.isfinite(self.statistic(np.arange(self.days))).all())

    def statistic(self, days: Any) -> Floats:
        """The response of each point over some days."""
        chosen = self.values[:, days]
        if self.response.statistic == "pass_rate":
            target = target_of(self.response, "target")
            assert target is not None, "a pass rate has a target"
            met = np.vectorize(lambda value: math.nan if math.isnan(value) else float(target.met(value)), otypes=[np.float64])(
                chosen
            )
            return _quiet(lambda: np.nanmean(met, axis=1))
        if self.response.statistic == "mean" or self.response.is_of_the_point:
            return _quiet(lambda: np.nanmean(chosen, axis=1))
        q = 0.5 if self.response.statistic == "p50" else 0.9
        return -_quantiles(-chosen, q) if self.response.better == "higher" else _quantiles(chosen, q)

    def levels(self) -> list[Level]:
        """The main effects."""
        found: list[Level] = []
        for factor in self.answers.study.factors if self.usable else ():
            for level, where in self._groups(factor).items():
                value, low, high = self._drawn(_mean_of(where))
                found.append(Level(factor, level, value, low, high))
        return found

    def tornado(self) -> list[Span]:
        """Factors by how far they move the response, the farthest first."""
        found: list[Span] = []
        for factor in self.answers.study.factors if self.usable else ():
            groups = self._groups(factor)
            if len(groups) < 2:
                continue
            means = {level: float(self.statistic(np.arange(self.days))[where].mean()) for level, where in groups.items()}
            lowest, highest = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
            one, other = groups[lowest], groups[highest]
            span, low, high = self._drawn(_difference(one, other))
            found.append(Span(factor, (lowest, highest), means[lowest], means[highest], span, low, high))
        return sorted(found, key=lambda one: -one.span)

    def interactions(self) -> list[Interaction]:
        """Pairs of factors of which every combination was played, the strongest first."""
        found: list[Interaction] = []
        for first, second in itertools.combinations(self.answers.study.factors if self.usable else (), 2):
            rows, columns = self._groups(first), self._groups(second)
            cells = {(a, b): np.intersect1d(rows[a], columns[b]) for a in rows for b in columns}
            if len(rows) < 2 or len(columns) < 2 or any(not len(where) for where in cells.values()):
                continue
            shape = (len(rows), len(columns))

            def departure(means: Floats, cells: Any = cells, shape: Any = shape) -> float:
                table = np.array([means[where].mean() for where in cells.values()]).reshape(shape)
                additive = table.mean(axis=1, keepdims=True) + table.mean(axis=0, keepdims=True) - table.mean()
                return float(np.abs(table - additive).max())

            size, low, high = self._drawn(departure)
            now = self.statistic(np.arange(self.days))
            found.append(
                Interaction((first, second), {key: float(now[where].mean()) for key, where in cells.items()}, size, low, high)
            )
        return sorted(found, key=lambda one: -one.size)

    def sobol(self) -> list[Index]:
        """Sobol indices (SALib); only for a design of that kind whose points were all played, else empty."""
        from SALib.analyze import sobol

        from gameday.study.design import salib_problem

        study = self.answers.study
        count = study.design.points * (len(study.factors) + 2)
        if study.design.kind != "sobol" or len(self.points) != count or not self.usable:
            return []
        outcome = self.statistic(np.arange(self.days))
        if float(np.ptp(outcome)) == 0.0:
            return [Index(name, 0.0, 0.0, 0.0, 0.0) for name in study.factors]
        found = sobol.analyze(salib_problem(study), outcome, calc_second_order=False, seed=study.design.seed)
        rows = zip(study.factors, found["S1"], found["S1_conf"], found["ST"], found["ST_conf"], strict=True)
        return sorted((Index(name, *(float(one) for one in row)) for name, *row in rows), key=lambda one: -one.total)

    def _groups(self, factor: str) -> dict[str, Any]:
        """Level to the places of its points; a range that was played at many values is cut into thirds."""
        from gameday.study.design import levels_of
        from gameday.study.levels import number_of

        model = self.answers.study.factors[factor]
        played = [one.levels[factor] for one in self.points]
        if model.range is None or len(set(played)) <= model.levels:
            order = levels_of(model) if model.range is None else sorted(set(played), key=lambda one: number_of(one)[0])
            groups = {level: np.flatnonzero([one == level for one in played]) for level in order}
        else:
            numbers = np.array([number_of(one)[0] for one in played])
            unit = number_of(played[0])[1]
            cuts = np.quantile(numbers, [0, 1 / 3, 2 / 3, 1])
            which = np.clip(np.searchsorted(cuts, numbers, side="right") - 1, 0, 2)
            groups = {f"{cuts[i]:.3g} to {cuts[i + 1]:.3g}{unit}": np.flatnonzero(which == i) for i in range(3)}
        return {level: where for level, where in groups.items() if len(where)}

    def _drawn(self, of: Callable[[Floats], float]) -> tuple[float, float, float]:
        """A quantity with its 95 % interval over drawn days; an end is infinite where so many draws never came to an end."""
        with np.errstate(invalid="ignore"):  # never less never is no number
            draws = np.array([of(means) for means in self._means()])
        low, high = np.quantile(draws[~np.isnan(draws)], [0.025, 0.975], method="inverted_cdf")
        value = of(self.statistic(np.arange(self.days)))
        return value, min(value, float(low)), max(value, float(high))

    _cache: list[Floats] | None = None

    def _means(self) -> Sequence[Floats]:
        if self._cache is None:
            generator = np.random.default_rng(0)
            self._cache = [self.statistic(generator.integers(0, self.days, self.days)) for _ in range(DRAWS)]
        return self._cache


def _quantiles(values: Floats, q: float) -> Floats:
    """The q-quantile (the ceil(q n)-th smallest) of each row, over what is no NaN; NaN where nothing is left."""
    ordered = np.sort(values, axis=1)  # NaN comes last
    counts = np.count_nonzero(~np.isnan(ordered), axis=1)
    places = np.maximum(np.ceil(q * counts - 1e-9).astype(np.int64) - 1, 0)
    found: Floats = ordered[np.arange(len(ordered)), places]
    return found


def _mean_of(where: Any) -> Callable[[Floats], float]:
    return lambda means: float(means[where].mean())


def _difference(one: Any, other: Any) -> Callable[[Floats], float]:
    return lambda means: float(means[other].mean() - means[one].mean())


def _quiet(compute: Callable[[], Any]) -> Floats:
    """Points that were never judged give NaN, without numpy's warning."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found: Floats = np.asarray(compute(), dtype=np.float64)
    return found
