"""What many replications say together: quantiles, shares and comparisons, each with its interval.

The rule that surprises: "never happened before the run ended" is +inf, counts like any other value, and comes out as "at
least the bound". Means of recovery times are never compared: they are so skewed that the comparison would find nothing.
One replication gives no interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
"""Default level of every interval."""
RESAMPLES = 2000
"""Default number of bootstrap resamples; Efron and Tibshirani (1993) ask for at least 1000 for percentile intervals."""

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of a sample and its interval; an end that the sample cannot bound is None."""

    q: float
    """Which quantile, 0 to 1 (0.5 is p50)."""
    value: float
    """A value of the sample; when `censored`, the bound or the largest value that was observed, whichever is later."""
    censored: bool
    """True: the quantile is at least `value`, by how much more is not known."""
    low: float | None
    """Lower end. It may be the bound itself, then all of the interval lies beyond what was observed."""
    high: float | None
    """Upper end; None when too few values, or too few that are not censored, lie above."""
    n: int
    """Size of the sample, censored values included."""
    n_censored: int
    """How many of them are censored."""
    confidence: float
    """Level asked for; that of the interval is at least this."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its interval; without one (fewer than two values) the ends are None."""

    value: float
    low: float | None
    high: float | None
    n: int
    confidence: float


def quantile(values: ArrayLike, q: float, *, bound: float | None = None, confidence: float = CONFIDENCE) -> Quantile:
    """The q-quantile (inverse of the empirical distribution: the ceil(q n)-th smallest value) with an interval.

    The interval is free of assumptions about the distribution: order statistics whose exact binomial probability of
    enclosing the quantile is at least `confidence`, at most half of the rest on each side (Conover 1999, section 3.2).

    A censored value is +inf, `bound` the time up to which it was watched (needed as soon as there is one; the smallest
    where they differ). A value that was observed later than another was watched counts as smaller than that other, so with
    differing bounds the quantile errs towards the longer time, and is at least the largest value that was observed.
    """
    sample = _sample(values)
    n, n_censored = len(sample), int(np.isinf(sample).sum())
    assert 0 < q < 1, f"a quantile lies between 0 and 1, {q} does not"
    assert n, "a quantile needs at least one value"
    assert not n_censored or bound is not None, "censored values need the bound up to which they were watched"
    ordered = np.sort(sample)
    lower, upper = order_statistics(n, q, confidence)
    longest = float(ordered[n - n_censored - 1]) if n_censored < n else -math.inf

    def known(rank: int) -> float:
        value = float(ordered[rank - 1])
        return max(bound, longest) if bound is not None and math.isinf(value) else value

    rank = max(1, math.ceil(q * n - _ROUNDING))
    high = None if upper is None or math.isinf(ordered[upper - 1]) else float(ordered[upper - 1])
    return Quantile(
        q=q,
        value=known(rank),
        censored=bool(np.isinf(ordered[rank - 1])),
        low=None if lower is None else known(lower),
        high=high,
        n=n,
        n_censored=n_censored,
        confidence=confidence,
    )


def order_statistics(n: int, q: float, confidence: float = CONFIDENCE) -> tuple[int | None, int | None]:
    """Ranks (from 1) of the two values of a sample of `n` that enclose the q-quantile; None where the sample is too small.

    The number of values below the quantile is binomial (n, q): the lower rank is the largest r with P(B < r) <= alpha / 2,
    the upper the smallest s with P(B >= s) <= alpha / 2.
    """
    tail = (1 - confidence) / 2
    probabilities = _binomial(n, q)
    below = np.cumsum(probabilities)  # below[k] = P(B <= k)
    above = np.cumsum(probabilities[::-1])[::-1]  # above[k] = P(B >= k)
    lower = int(np.count_nonzero(below <= tail))
    upper = n + 1 - int(np.count_nonzero(above <= tail))
    return (lower if lower >= 1 else None), (upper if upper <= n else None)


def share(successes: int, n: int, *, confidence: float = CONFIDENCE) -> Interval:
    """A share with Wilson's score interval (Wilson 1927), which stays within 0 and 1 and is honest at both ends."""
    assert 0 <= successes <= n, f"{successes} of {n} is no share"
    assert n, "a share needs at least one trial"
    value = successes / n
    if n == 1:
        return Interval(value, None, None, n, confidence)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = (value + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(value * (1 - value) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(value, low, high, n, confidence)


def mean_interval(values: ArrayLike, *, confidence: float = CONFIDENCE) -> Interval:
    """Mean with Student's t interval: for differences and log-ratios, which are near normal; not for durations."""
    sample = _finite_sample(values)
    n, mean = len(sample), float(np.mean(sample))
    if n == 1:
        return Interval(mean, None, None, n, confidence)
    half = t_quantile((1 + confidence) / 2, n - 1) * float(np.std(sample, ddof=1)) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n, confidence)


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[[Floats], float],
    generator: np.random.Generator,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval:
    """`statistic` of the values with the percentile bootstrap interval. Too narrow for small samples (below about 20)."""
    sample = _finite_sample(values)
    n, value = len(sample), float(statistic(sample))
    if n == 1:
        return Interval(value, None, None, n, confidence)
    drawn = np.sort([statistic(sample[generator.integers(0, n, n)]) for _ in range(resamples)])
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(value, float(low), float(high), n, confidence)


def sign_test(positive: int, negative: int) -> float:
    """Two-sided exact p-value of the hypothesis that both signs are equally likely; ties are not counted. 1.0 without any."""
    n, fewer = positive + negative, min(positive, negative)
    return min(1.0, 2 * float(_binomial(n, 0.5)[: fewer + 1].sum()))


def sign_test_worse(worse: int, better: int) -> float:
    """One-sided exact p-value of "no more than half get worse"; ties are not counted. 1.0 without any."""
    n = worse + better
    return min(1.0, float(_binomial(n, 0.5)[worse:].sum()))


def t_test_above(values: ArrayLike, bound: float) -> float:
    """One-sided p-value of "the mean is at most `bound`", by Student's t; values that are all equal decide by themselves."""
    sample = _finite_sample(values)
    n, excess = len(sample), float(np.mean(sample)) - bound
    spread = float(np.std(sample, ddof=1)) if n > 1 else math.inf
    if spread <= 1e-12 * max(1.0, abs(excess)):
        return 0.0 if excess > 1e-12 else 1.0
    t = excess / (spread / math.sqrt(n))
    outside = (1.0 - _t_within(math.atan(abs(t) / math.sqrt(n - 1)), n - 1)) / 2 if n > 1 else 0.5
    return max(0.0, outside if t > 0 else 1.0 - outside)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values of Holm (1979): rejecting those at most alpha errs in any of them with probability at most alpha.

    It holds whatever the tests depend on, which matters here: the KPIs of one game day are far from independent.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, highest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


@lru_cache(maxsize=4096)
def t_quantile(probability: float, degrees: int) -> float:
    """Quantile of Student's t distribution for a probability of 0.5 or more, by bisection of the exact distribution."""
    assert 0.5 <= probability < 1, f"{probability} is not in [0.5, 1)"
    assert degrees >= 1, "Student's t needs a degree of freedom"
    wanted = 2 * probability - 1
    low, high = 0.0, math.pi / 2  # the angle atan(t / sqrt(degrees)) is bounded, t itself is not
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_within(middle, degrees) < wanted else (low, middle)
    return math.tan((low + high) / 2) * math.sqrt(degrees)


def _t_within(angle: float, degrees: int) -> float:
    """P(|T| <= sqrt(degrees) tan(angle)): the finite series 26.7.3 and 26.7.4 of Abramowitz and Stegun."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    count = degrees // 2
    steps = np.arange(1, count, dtype=np.float64)
    factors = (2 * steps / (2 * steps + 1) if odd else (2 * steps - 1) / (2 * steps)) * cosine**2
    terms = float(np.sum(np.concatenate(([1.0], np.cumprod(factors))))) if count else 0.0
    if odd:
        return 2 / math.pi * (angle + sine * cosine * terms)
    return sine * terms


def _binomial(n: int, q: float) -> Floats:
    """P(B = k) for k from 0 to n, through logarithms so that large n do not underflow on the way."""
    logs = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, n + 1)))))
    k = np.arange(n + 1)
    probabilities: Floats = np.exp(logs[n] - logs - logs[::-1] + k * math.log(q) + (n - k) * math.log1p(-q))
    return probabilities


def _sample(values: ArrayLike) -> Floats:
    sample = np.asarray(values, dtype=np.float64)
    assert sample.ndim == 1, f"a sample is a list of numbers, not {sample.shape}"
    assert not np.isnan(sample).any(), "a sample holds no NaN: leave out what could not be judged, and say so"
    assert not np.isneginf(sample).any(), "a sample holds no -inf: only 'never' (+inf) is a value"
    return sample


def _finite_sample(values: ArrayLike) -> Floats:
    sample = _sample(values)
    assert len(sample), "an estimate needs at least one value"
    assert np.isfinite(sample).all(), "a censored value has no place in a mean"
    return sample
