"""How many replications it takes to see a change of a given size, from a pilot.

The rule that surprises: it depends on how alike the pairs are, and that depends on the change. With the change given, its own pairs are
the pilot; without one, each day is paired with another day, which is what a change that shuffles everything would look like: an
upper end. The answer of the formula is checked by drawing from the pilot.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from gameday.statistics import Floats, t_quantile

ALPHA: Final = 0.05
POWER: Final = 0.8
"""Conventional (Cohen 1988): four in five."""
DRAWS: Final = 1000
MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Need:
    """Replications needed to see a change."""

    kpi: str
    pairs: int
    """Pairs of the pilot that had a ratio."""
    left_out: int
    """Pairs without one: not judged, never, or zero."""
    spread: float
    """Standard deviation of the pairs on the log scale."""
    replications: int
    """By the formula, for `compare`: two-sided at 5 %."""
    low: int
    """From the interval (90 %) of the spread that a pilot of this size leaves."""
    high: int
    for_check: int | None
    """For `check`, which is one-sided but has to exceed its tolerance; None when the change does not exceed it."""
    measured_power: float
    """Share of draws of that many pairs from the pilot, shifted by the change, in which it was seen."""


def needed(
    kpi: str,
    before: Sequence[float],
    after: Sequence[float],
    detect: float,
    *,
    tolerance: float,
    power: float = POWER,
    seed: int = 0,
) -> Need | None:
    """From the pairs of a pilot; None when fewer than three have a ratio. `detect` is a relative change, 0.1 = 10 % longer."""
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    usable = np.isfinite(first) & np.isfinite(second) & (first > 0) & (second > 0)
    logs: Floats = np.log(second[usable] / first[usable])
    if len(logs) < 3:
        return None
    residuals = logs - logs.mean()
    spread = float(np.std(logs, ddof=1))
    effect = math.log1p(detect)
    generator = np.random.default_rng(seed)
    drawn = [float(np.std(generator.choice(logs, len(logs)), ddof=1)) for _ in range(DRAWS)]
    low, high = (pairs_needed(float(one), effect, power) for one in np.quantile(drawn, [0.05, 0.95]))
    count = pairs_needed(spread, effect, power)
    beyond = effect - math.log1p(tolerance)
    return Need(
        kpi,
        len(logs),
        int(len(first) - len(logs)),
        spread,
        count,
        low,
        high,
        pairs_needed(spread, beyond, power, sided=1) if beyond > 1e-12 else None,
        measured_power(residuals, effect, min(count, 10_000), generator),
    )


def pairs_needed(spread: float, effect: float, power: float = POWER, sided: int = 2, alpha: float = ALPHA) -> int:
    """Pairs for a t test to see `effect`: ((z_alpha + z_power) spread / effect)^2, with t for z (Chow, Shao and Wang 2008, section 3.1)."""
    z = NormalDist()
    if spread <= 1e-12:
        return 2
    n = max(2, math.ceil(((z.inv_cdf(1 - alpha / sided) + z.inv_cdf(power)) * spread / effect) ** 2))
    for _ in range(20):
        t = t_quantile(1 - alpha / sided, min(n - 1, 10_000)) + t_quantile(power, min(n - 1, 10_000))
        better = min(MOST, max(2, math.ceil((t * spread / effect) ** 2)))
        if better == n:
            break
        # From below: with very few pairs t is so wide that the step overshoots.
        n = better if better < n else math.ceil((n + better) / 2)
    return n


def measured_power(residuals: Floats, effect: float, n: int, generator: np.random.Generator, alpha: float = ALPHA) -> float:
    """Share of samples of `n` from the residuals, shifted by the effect, whose t interval excludes 0."""
    wide = t_quantile(1 - alpha / 2, min(n - 1, 10_000))
    seen = 0
    for _ in range(DRAWS):
        sample = generator.choice(residuals, n) + effect
        seen += abs(float(sample.mean())) > wide * float(np.std(sample, ddof=1)) / math.sqrt(n)
    return seen / DRAWS
