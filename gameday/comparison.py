"""Two policies on the same seeds: is the second better, and by how much?

The rule that surprises: a pair in which something never happened has no ratio, only a direction. As soon as there is one
such pair, the verdict is that of the sign test over all pairs, and the ratio of the others is shown but does not decide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from gameday.statistics import CONFIDENCE, Floats, Interval, bootstrap_interval, mean_interval, sign_test

Better = Literal["lower", "higher"]
Verdict = Literal["better", "worse", "unclear", "same"]
Scale = Literal["ratio", "difference"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from `before` to `after`, pair by pair."""

    verdict: Verdict
    """About `after`. `same`: no pair differs, or the interval lies within the tolerance."""
    scale: Scale
    """`ratio`: `effect` is the geometric mean of after / before. `difference`: the mean of after - before."""
    effect: Interval | None
    """From the pairs that could be measured; None when there is none."""
    pairs: int
    """All pairs."""
    measured: int
    """Pairs with a value on both sides, for a ratio both above 0: those behind `effect`."""
    sign_only: int
    """Pairs that are compared by direction only: censored on one side, or on the ratio scale with a value of 0 or below."""
    both_censored: int
    """Pairs in which it never happened on either side; they count as equal."""
    improved: int
    """Pairs in which `after` is better, those compared by direction included."""
    worsened: int
    """Pairs in which `after` is worse."""
    sign_test_p: float
    """Two-sided exact p-value of the sign test over `improved` and `worsened`."""


def compare_durations(
    before: ArrayLike,
    after: ArrayLike,
    *,
    better: Better = "lower",
    same_within_ratio: float | None = None,
    confidence: float = CONFIDENCE,
    bootstrap: np.random.Generator | None = None,
) -> Comparison:
    """Compare durations (seconds, +inf = never) replication by replication, on the log scale.

    `same_within_ratio` (1.05 = 5 % either way) is the largest change that nobody would care about; without it, only
    identical samples are the same. The interval is Student's t on the log-ratios, or the bootstrap's when a generator is given.
    """
    assert same_within_ratio is None or same_within_ratio >= 1, "a tolerance of a ratio is 1 or more"
    first, second = _pairs(before, after)
    measured = np.isfinite(first) & np.isfinite(second) & (first > 0) & (second > 0)
    logs = np.log(second[measured]) - np.log(first[measured])
    tolerance = None if same_within_ratio is None else math.log(same_within_ratio)
    effect = _effect(logs, confidence, bootstrap)
    verdict_of = _judge(effect, tolerance, better)
    return _comparison(first, second, measured, "ratio", _exponential(effect), verdict_of, better, confidence)


def compare_counts(
    before: ArrayLike,
    after: ArrayLike,
    *,
    better: Better,
    same_within: float | None = None,
    confidence: float = CONFIDENCE,
    bootstrap: np.random.Generator | None = None,
) -> Comparison:
    """Compare counts or shares (lost writes, critical goodput) replication by replication, by their differences.

    `same_within` is the largest difference that nobody would care about; the rest as in `compare_durations`.
    """
    assert same_within is None or same_within >= 0, "a tolerance of a difference is 0 or more"
    first, second = _pairs(before, after)
    measured = np.isfinite(first) & np.isfinite(second)
    effect = _effect(second[measured] - first[measured], confidence, bootstrap)
    return _comparison(first, second, measured, "difference", effect, _judge(effect, same_within, better), better, confidence)


def _pairs(before: ArrayLike, after: ArrayLike) -> tuple[Floats, Floats]:
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    assert first.ndim == 1, "a sample is a list of numbers"
    assert first.shape == second.shape, "paired samples come from the same replications"
    assert len(first), "a comparison needs at least one pair"
    for sample in (first, second):
        assert not np.isnan(sample).any(), "a pair holds no NaN: leave out the pairs that could not be judged, and say so"
        assert not np.isneginf(sample).any(), "only 'never' (+inf) is a value without an end"
    return first, second


def _effect(changes: Floats, confidence: float, bootstrap: np.random.Generator | None) -> Interval | None:
    if len(changes) == 0:
        return None
    if bootstrap is None:
        return mean_interval(changes, confidence=confidence)
    return bootstrap_interval(changes, lambda sample: float(np.mean(sample)), bootstrap, confidence=confidence)


def _exponential(effect: Interval | None) -> Interval | None:
    if effect is None:
        return None
    low, high = (None if end is None else math.exp(end) for end in (effect.low, effect.high))
    return Interval(math.exp(effect.value), low, high, effect.n, effect.confidence)


def _judge(effect: Interval | None, tolerance: float | None, better: Better) -> Verdict:
    """The verdict of the interval alone, around 0 on the scale on which it was taken."""
    if effect is None or effect.low is None or effect.high is None:
        return "unclear"
    if tolerance is not None and -tolerance <= effect.low and effect.high <= tolerance:
        return "same"
    if effect.high < 0:
        return "better" if better == "lower" else "worse"
    if effect.low > 0:
        return "worse" if better == "lower" else "better"
    return "unclear"


def _comparison(
    first: Floats,
    second: Floats,
    measured: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    scale: Scale,
    effect: Interval | None,
    by_interval: Verdict,
    better: Better,
    confidence: float,
) -> Comparison:
    lower, higher = int(np.count_nonzero(second < first)), int(np.count_nonzero(second > first))
    improved, worsened = (lower, higher) if better == "lower" else (higher, lower)
    both_censored = int(np.count_nonzero(np.isinf(first) & np.isinf(second)))
    p = sign_test(improved, worsened)
    by_sign: Verdict = "unclear"
    if p <= 1 - confidence:
        by_sign = "better" if improved > worsened else "worse"
    unmeasured = len(first) - int(np.count_nonzero(measured))
    return Comparison(
        verdict=_verdict(by_interval, by_sign, any_difference=bool(improved or worsened), all_measured=unmeasured == 0),
        scale=scale,
        effect=effect,
        pairs=len(first),
        measured=len(first) - unmeasured,
        sign_only=unmeasured - both_censored,
        both_censored=both_censored,
        improved=improved,
        worsened=worsened,
        sign_test_p=p,
    )


def _verdict(by_interval: Verdict, by_sign: Verdict, *, any_difference: bool, all_measured: bool) -> Verdict:
    """Interval where every pair was measured, sign test elsewhere; where the two contradict each other, nothing is clear."""
    if not any_difference:
        return "same"
    if {by_interval, by_sign} == {"better", "worse"}:
        return "unclear"
    return by_interval if all_measured else by_sign
