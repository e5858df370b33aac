"""Two ways of playing the same days, held against each other KPI by KPI: distributions of days apart, and differences of days with the same seeds.

The rule that surprises: the second finds more. Days of the same seed have the same people, and the same requests up to the first jump, so what
makes days differ is mostly in both and leaves the difference. It says whether values are shifted, not whether they are spread or shaped otherwise:
that is the first's business, for which the days of the two ways must have nothing in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf, sqrt

import numpy as np
from scipy import optimize, stats  # type: ignore[import-untyped]

from gameday.statistics import holm

PERMUTATIONS = 20_000
LEVEL = 0.05
POWER = 0.9

Samples = Mapping[str, Sequence[float]]
"""Values per KPI, a day each: infinite where it never came to it, minus infinity where it did not apply or could not be told."""


@dataclass(frozen=True, slots=True)
class Row:
    """One KPI of one scenario."""

    scenario: str
    kpi: str
    exact: Sequence[float]
    quiet: Sequence[float]
    """Days of their own."""
    same: Sequence[float]
    """Quiet days with the seeds of the exact ones."""
    distance: float
    chance: float
    same_chance: float
    unlike: float
    """Variance of the differences, as a share of what it was if days of the same seed had nothing in common."""

    def difference(self) -> tuple[float, float, float] | None:
        """Mean of the differences between days of the same seed, and its 95 % interval; None where fewer than two can be taken."""
        pairs = np.array([self.same, self.exact])
        apart = np.subtract(*pairs[:, np.isfinite(pairs).all(axis=0)])
        if len(apart) < 2:
            return None
        reach = stats.t.ppf(0.975, len(apart) - 1) * apart.std(ddof=1) / sqrt(len(apart))
        return float(apart.mean()), float(apart.mean() - reach), float(apart.mean() + reach)


def rows(scenario: str, exact: Samples, quiet: Samples, same: Samples) -> Iterator[Row]:
    """The KPIs that are not the same in every single day."""
    for kpi in exact:
        one, other, paired = (list(each[kpi]) for each in (exact, quiet, same))
        if len({*one, *other, *paired}) > 1:
            yield Row(scenario, kpi, one, other, paired, *distance_and_chance(one, other), *paired_chance(one, paired))


def distance_and_chance(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Kolmogorov-Smirnov distance of two samples, and the share of permutations with one at least as large."""
    values = np.array([*one, *other])
    order = np.argsort(values, kind="stable")
    ends = np.append(np.diff(np.unique(values, return_inverse=True)[1][order]) != 0, True)
    labels = np.zeros(len(values))
    labels[: len(one)] = 1.0 / len(one)
    labels[len(one) :] = -1.0 / len(other)
    found = np.abs(labels[order].cumsum()[ends]).max()
    draws = np.random.default_rng(len(values))
    shuffled = draws.permuted(np.tile(labels, (PERMUTATIONS, 1)), axis=1)
    reached = np.abs(shuffled.cumsum(axis=1)[:, ends]).max(axis=1) >= found - 1e-12
    return float(found), float((1 + reached.sum()) / (1 + PERMUTATIONS))


def paired_chance(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """The share of changes of sign of the differences in rank with a mean as far from zero, and how unlike the two of a pair are.

    Ranks, so that "never" counts as later than anything and no single day outweighs the others.
    """
    ranks = stats.rankdata([*one, *other])
    first, second = ranks[: len(one)], ranks[len(one) :]
    apart = second - first
    spread = first.var() + second.var()
    signs = np.random.default_rng(len(one)).integers(0, 2, (PERMUTATIONS, len(one))) * 2 - 1
    reached = np.abs(signs @ apart) >= abs(apart.sum()) - 1e-9
    return float((1 + reached.sum()) / (1 + PERMUTATIONS)), float(apart.var() / spread) if spread else 0.0


def adjusted(found: Sequence[Row]) -> list[tuple[float, float]]:
    """Both chances of every row after Holm's correction over all of them."""
    level = holm([chance for row in found for chance in (row.chance, row.same_chance)])
    return list(zip(level[::2], level[1::2], strict=True))


@lru_cache
def shift_seen(days: int, tests: int) -> float:
    """By how many standard deviations a normal KPI has to be shifted for the distance to show it with `POWER` after so many tests."""
    needed = stats.kstwobign.isf(LEVEL / tests) * sqrt(2.0 / days)
    values = np.random.default_rng(days).standard_normal((2000, 2 * days))
    labels = np.repeat([1.0, -1.0], days) / days
    low, high = 0.0, 10.0
    while high - low > 0.02:
        shift = (low + high) / 2.0
        order = np.argsort(values + shift * (labels > 0.0), axis=1)
        shown = np.abs(labels[order].cumsum(axis=1)).max(axis=1) >= needed
        low, high = (low, shift) if shown.mean() >= POWER else (shift, high)
    return high if high < 10.0 else inf


def paired_shift_seen(days: int, tests: int, unlike: float) -> float:
    """The same for the mean of the differences of days with the same seeds; so few days that no chance can be small enough show nothing."""
    if max(2.0 ** (1 - days), 1.0 / PERMUTATIONS) > LEVEL / tests:
        return inf
    needed = stats.t.isf(LEVEL / tests / 2.0, days - 1)
    away = optimize.brentq(lambda far: stats.nct.sf(needed, days - 1, far) - POWER, 0.0, 10.0 * needed)
    return float(away * sqrt(2.0 * unlike / days))
