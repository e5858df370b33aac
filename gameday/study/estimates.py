"""What the rows of a study say about each point: estimates with intervals, pairs of points, ranks that refuse to order what overlaps.

The rule that surprises: two points are compared pair by pair on their common days, never by their two intervals, and a point is ranked
behind another only when the pairs say so beyond doubt. Points between which they do not are ranked equal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gameday.comparison import Verdict, compare_counts, compare_durations
from gameday.scores.kpis import KPIS, Target
from gameday.scores.samples import KpiSamples
from gameday.statistics import bootstrap_interval, quantile, share
from gameday.study.model import Response, target_of
from gameday.study.unavailability import COLUMNS
from gameday.study.unavailability import NAME as UNAVAILABILITY

if TYPE_CHECKING:
    from gameday.study.store import Row

MOST_RANKED = 60
"""Points that are ranked; those behind them share one rank, because nobody asks which is the 700th best."""

SAME_WITHIN = 0.05
"""Relative difference of two unavailabilities that nobody cares about: how often things fail is not known that well. Assumption."""

Allowed = Literal["yes", "no", "unclear"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """One response at one point."""

    value: float | None
    """None: nothing was judged. Infinite: never."""
    low: float | None
    high: float | None
    n: int
    """Replications that were judged."""
    allowed: Allowed = "yes"
    """Whether the limit is kept: unclear when the interval holds it."""

    def as_tight_as(self, precision: float) -> bool:
        """Whether half the interval is at most that share of the value; an interval without an end never is."""
        if self.value is None or self.low is None or self.high is None:
            return False
        if not all(map(math.isfinite, (self.value, self.low, self.high))):
            return False
        half = (self.high - self.low) / 2
        return half <= precision * abs(self.value) + 1e-12


def values_of(response: Response, rows: Sequence[Row]) -> list[float]:
    """The response in each row: infinite = never, NaN = not judged, -infinite = did not apply."""
    return [-math.inf if (value := row.get(response.of)) is None else float(value) for row in rows]


def judged(values: Sequence[float]) -> list[float]:
    """Without what was not judged or did not apply."""
    return [value for value in values if not math.isnan(value) and value != -math.inf]


def estimate(response: Response, rows: Sequence[Row]) -> Estimate:
    """The response over the rows of a point."""
    if response.of == UNAVAILABILITY:
        return _down(response, rows)
    values = judged(values_of(response, rows))
    if not values:
        return Estimate(None, None, None, 0, "unclear" if response.limit is not None else "yes")
    found = _estimate(response, values)
    limit = target_of(response, "limit")
    if limit is None:
        return found
    return Estimate(found.value, found.low, found.high, found.n, _allowed(limit, found))


def _down(response: Response, rows: Sequence[Row]) -> Estimate:
    """The unavailability of a point, which all its rows hold."""
    value, low, high = (rows[0][name] for name in COLUMNS)
    limit = target_of(response, "limit")
    found = Estimate(value, low, high, len(rows))
    return found if limit is None else replace(found, allowed=_allowed(limit, found))


def _down_versus(one: Sequence[Row], other: Sequence[Row]) -> Verdict:
    """Two unavailabilities: the same within what nobody cares about; else ordered when their intervals do not overlap."""
    (_, first_low, first_high), (_, second_low, second_high) = ([rows[0][name] for name in COLUMNS] for rows in (one, other))
    if max(first_high, second_high) <= (1 + SAME_WITHIN) * min(first_low, second_low):
        return "same"
    if second_high < first_low:
        return "better"
    return "worse" if second_low > first_high else "unclear"


def _estimate(response: Response, values: list[float]) -> Estimate:
    n = len(values)
    if response.of == "price":
        return Estimate(values[0], values[0], values[0], n)
    if response.statistic == "pass_rate":
        target = target_of(response, "target")
        assert target is not None, "a pass rate has a target"
        rate = share(sum(target.met(value) for value in values), n)
        return Estimate(rate.value, rate.low, rate.high, n)
    if response.statistic == "mean":
        if not all(map(math.isfinite, values)):
            return Estimate(math.inf, None, None, n)
        if response.of in KPIS and KPIS[response.of].unit == "bool":
            rate = share(round(sum(values)), n)  # also where all days agree: six of six is no certainty
            return Estimate(rate.value, rate.low, rate.high, n)
        if len(set(values)) == 1:
            return Estimate(values[0], values[0], values[0], n)
        mean = bootstrap_interval(values, lambda sample: float(np.mean(sample)), np.random.default_rng(0), resamples=1000)
        return Estimate(mean.value, mean.low, mean.high, n)
    q = 0.5 if response.statistic == "p50" else 0.9
    if response.of in KPIS:
        samples = KpiSamples(response.of)
        samples.values.extend(values)
        samples.bound = math.inf
        found = samples.quantile(q)
    else:
        found = quantile(values, q)
    assert found is not None, "there are values"
    return Estimate(found.value, found.low, found.high, n)


def _allowed(limit: Target, found: Estimate) -> Allowed:
    if found.value is None or found.low is None or found.high is None:
        return "unclear" if found.value is None or limit.met(found.value) else "no" if math.isinf(found.value) else "unclear"
    ends = {limit.met(found.low), limit.met(found.high)}
    return "unclear" if len(ends) == 2 else "yes" if ends == {True} else "no"


def versus(response: Response, first: Sequence[Row], second: Sequence[Row], confidence: float) -> Verdict:
    """What the second point is, compared with the first, on the days both were played."""
    if response.of == UNAVAILABILITY:
        return _down_versus(first, second)
    days = {row["replication"]: row for row in second}
    common = [(row, days[row["replication"]]) for row in first if row["replication"] in days]
    one, other = (values_of(response, [pair[side] for pair in common]) for side in (0, 1))
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if judged([a, b]) == [a, b]]
    if response.of == "price":
        if not pairs or pairs[0][0] == pairs[0][1]:
            return "same"
        return "better" if pairs[0][1] < pairs[0][0] else "worse"
    if len(pairs) < 2:
        return "unclear"
    before, after = zip(*pairs, strict=True)
    target = target_of(response, "target")
    if response.statistic == "pass_rate" and target is not None:
        before, after = (tuple(float(target.met(value)) for value in side) for side in (before, after))
        return compare_counts(before, after, better="higher", confidence=confidence).verdict
    if response.of in KPIS and KPIS[response.of].unit == "s":
        return compare_durations(before, after, better=response.better, confidence=confidence).verdict
    return compare_counts(before, after, better=response.better, confidence=confidence).verdict


def ranks(response: Response, points: Mapping[int, Sequence[Row]]) -> dict[int, int]:
    """Rank of each point, from 1. Points that cannot be told from the best of those that are left share a rank.

    The confidence of each comparison is that of all comparisons with the best together (Bonferroni).
    """
    left = {number: estimate(response, rows) for number, rows in points.items() if rows}
    turn = 1.0 if response.better == "lower" else -1.0
    confidence = 1 - 0.05 / max(1, len(left) - 1)
    found: dict[int, int] = {}
    rank = 1
    while left:
        if len(found) >= MOST_RANKED:
            return found | dict.fromkeys(left, rank)
        best = min(left, key=lambda number: (_key(left[number], turn), number))
        equal = [
            number
            for number in left
            if number == best or versus(response, points[best], points[number], confidence) in {"same", "unclear", "better"}
        ]
        for number in equal:
            found[number] = rank
            del left[number]
        rank += len(equal)
    return found


def _key(one: Estimate, turn: float) -> float:
    return math.inf if one.value is None else turn * one.value


def front(responses: Sequence[Response], points: Mapping[int, Sequence[Row]]) -> dict[int, int | None]:
    """The Pareto front under uncertainty: point to the point that beats it, or None where none does beyond doubt.

    A point is beaten by one that is clearly better in something and not clearly or possibly worse in anything: in every other response
    it is better or the same. What is unclear beats nobody.
    """
    numbers = [number for number, rows in points.items() if rows]
    confidence = 1 - 0.05 / max(1, len(numbers) - 1)
    turns = [1.0 if one.better == "lower" else -1.0 for one in responses]
    keys = {n: [_key(estimate(r, points[n]), turn) for r, turn in zip(responses, turns, strict=True)] for n in numbers}
    found: dict[int, int | None] = {}
    for one in numbers:
        # Who is estimated to be worse in anything beats nobody; that spares most comparisons.
        others = [n for n in numbers if n != one and all(a <= b for a, b in zip(keys[n], keys[one], strict=True))]
        found[one] = next((n for n in others if _beats(responses, points[one], points[n], confidence)), None)
    return found


def _beats(responses: Sequence[Response], one: Sequence[Row], other: Sequence[Row], confidence: float) -> bool:
    better = False
    for response in responses:
        verdict = versus(response, one, other, confidence)
        if verdict in {"worse", "unclear"}:
            return False
        better = better or verdict == "better"
    return better


def finite(value: Any) -> bool:
    """Whether it is a number with an end."""
    return isinstance(value, int | float) and math.isfinite(value)
