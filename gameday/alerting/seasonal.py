"""What is usual at an hour: the centre and the spread of a metric, learned from its past.

    usual = fitted("hour_of_week", times_s, values)
    centre, spread = usual(at_s)            # unusual: abs(value - centre) > deviations x spread

`hour_of_week`: median and MAD of the same hour of the week; as long as fewer than two weeks are known, of the same hour of the day; as
long as fewer than three days are, of everything. `stl`: seasonal-trend decomposition by loess (Cleveland et al. 1990, statsmodels),
robust, with the period of a day: the last trend plus the seasonal part of the same time of day; its spread is the MAD of what the same
forecast missed by one day earlier (the residuals would flatter it: the decomposition has seen them).

The rule that surprises: nothing here is a mean or a standard deviation. One bad hour in a week of history moves neither, so that the
outage of last week does not make the one of this week usual.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gameday.errors import MissingExtra

Method = Literal["hour_of_week", "stl"]
Usual = Callable[[float], tuple[float, float]]
"""From an instant (seconds since the epoch, on the clock whose hours count) to centre and spread."""
MAD_TO_SIGMA = 1.4826
"""The median absolute deviation of a normal distribution, times this, is its standard deviation."""
MEAN_DISTANCE_TO_SIGMA = 1.2533
"""The mean absolute deviation of a normal distribution, times this, is its standard deviation."""
HOUR_S, DAY_S, WEEK_S = 3600, 86_400, 604_800
LEAST_WEEKS, LEAST_DAYS = 2, 3
"""Weeks and days that must be known before an hour of the week, of the day, is judged by its own past. Assumption."""
LEAST_SPREAD_RATIO = 0.01
"""The spread is never taken as less than this share of the centre: a metric that never moved is not known to the last digit.
Assumption."""
_FEW = 32
Floats = npt.NDArray[np.float64]


def fitted(method: Method, times_s: Sequence[float] | Floats, values: Sequence[float] | Floats) -> Usual:
    """What is usual, from a past in order of time. ValueError for a past that is too short; MissingExtra without statsmodels."""
    times, known = np.asarray(times_s, dtype=float), np.asarray(values, dtype=float)
    assert len(times) == len(known), "every value has its time"
    if len(known) < 2:
        raise ValueError("needs two values or more")
    return HourOfWeek.of(times, known) if method == "hour_of_week" else Stl.of(times, known)


@dataclass(frozen=True, slots=True)
class HourOfWeek:
    """Median and MAD by the hour."""

    centres: dict[int, float]
    spreads: dict[int, float]
    hours: int
    """Hours after which the buckets repeat: 168, 24 or 1."""

    @classmethod
    def of(cls, times: Floats, values: Floats) -> HourOfWeek:
        """Learned from a past."""
        length_s = float(times[-1] - times[0]) + (float(times[-1] - times[0]) / (len(times) - 1))
        hours = 168 if length_s >= LEAST_WEEKS * WEEK_S else 24 if length_s >= LEAST_DAYS * DAY_S else 1
        buckets = (times // HOUR_S).astype(int) % hours
        centres = {int(bucket): float(np.median(values[buckets == bucket])) for bucket in np.unique(buckets)}
        residuals = values - np.array([centres[int(bucket)] for bucket in buckets])
        pooled = robust_spread(residuals)
        spreads = {bucket: max(robust_spread(residuals[buckets == bucket]), pooled) for bucket in centres}
        return cls(centres, spreads, hours)

    def __call__(self, at_s: float) -> tuple[float, float]:
        """Centre and spread; of an hour that was never seen, those of the nearest one before it."""
        bucket = int(at_s // HOUR_S) % self.hours
        while bucket not in self.centres:
            bucket = (bucket - 1) % self.hours
        return _floored(self.centres[bucket], self.spreads[bucket])


@dataclass(frozen=True, slots=True)
class Stl:
    """Trend and season."""

    season: Floats
    """Of the last day, by the step of the day."""
    trend: float
    spread: float
    step_s: float
    first_s: float
    """Time of the first element of `season`."""

    @classmethod
    def of(cls, times: Floats, values: Floats) -> Stl:
        """Learned from a past of two days or more, in equal steps. ValueError when it is shorter."""
        step_s = float(np.median(np.diff(times)))
        period = round(DAY_S / step_s)
        if len(values) < 2 * period:
            raise ValueError("needs two days or more")
        grid = np.arange(times[0], times[-1] + step_s / 2, step_s)
        even = values[np.clip(np.searchsorted(times, grid + step_s / 2) - 1, 0, len(values) - 1)]
        parts = _decompose()(even, period=period, robust=True, seasonal_jump=_jump(period), trend_jump=_jump(period)).fit()
        missed_by = even[period:] - (parts.trend + parts.seasonal)[:-period]
        return cls(
            np.asarray(parts.seasonal[-period:]), float(parts.trend[-1]), robust_spread(missed_by), step_s, float(grid[-period])
        )

    def __call__(self, at_s: float) -> tuple[float, float]:
        """Centre and spread."""
        step = round((at_s - self.first_s) / self.step_s) % len(self.season)
        return _floored(self.trend + float(self.season[step]), self.spread)


def _decompose() -> Any:
    try:
        from statsmodels.tsa.seasonal import STL
    except ImportError:
        raise MissingExtra("a baseline rule with the method stl", "analysis") from None
    return STL


def _jump(period: int) -> int:
    """Loess is computed at every so many points and interpolated between, as the authors advise (a tenth of the span)."""
    return max(1, period // 10)


def robust_spread(values: Sequence[float] | Floats) -> float:
    """1.4826 MAD; where more than half of the values are the same, so that the MAD is 0, 1.2533 times the mean distance from the median
    (Iglewicz and Hoaglin 1993, the modified z-score). Both are the standard deviation of a normal distribution.
    """
    if 0 < len(values) <= _FEW and (spread := _spread_of_few([float(each) for each in values])):
        return spread
    distances = np.abs(np.asarray(values, dtype=float) - np.median(values))
    mad = MAD_TO_SIGMA * float(np.median(distances))
    return mad or MEAN_DISTANCE_TO_SIGMA * float(np.mean(distances))


def _spread_of_few(values: list[float]) -> float:
    """1.4826 MAD, without arrays, which are slower for a handful of numbers."""
    middle = median(values)
    return MAD_TO_SIGMA * median([abs(value - middle) for value in values])


def _floored(centre: float, spread: float) -> tuple[float, float]:
    return centre, max(spread, LEAST_SPREAD_RATIO * abs(centre), np.finfo(float).tiny)
