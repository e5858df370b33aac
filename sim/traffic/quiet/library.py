"""The seconds that were played exactly under one set of settings, whether they are stationary, and seconds drawn from them.

Blocks of consecutive seconds are drawn, each second as a whole: what the classes, services and flows had in common stays together
across all of them, and what one second owes to the one before it, within a block. The rule that surprises: when in doubt it says no. A few
failures are too many for calm and too few for a statistic, so while there are between one and `LEAST_EVENTS` of a kind, nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.traffic.quiet.tally import Columns, Second

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.traffic.quiet.tally import Counts, Seconds

BLOCK = 10
"""Seconds in a block: ten times the step in which anything looks at the engine, and no less than twice the time over which the numbers
of a second still depend on each other (`_Noise`), so that a seam between two blocks is met by few of the windows anybody looks through."""
LEAST_S = 60
"""Exact seconds from which on a stretch can be judged."""
CHECK_S = 20
"""Exact seconds after which a stretch is compared with what is known of its settings."""
LEAST_REQUESTS = 100
"""Requests that every flow must have brought."""
MOST_KEPT = 300
"""Seconds kept of one set of settings: the newest."""
STRETCH = 10
"""Seconds that may be drawn for each that was played: what happens at a rate of one in the time played and was not seen is then missed
ten times at most, on average 3.7 times (10 / e)."""
FAR_STRETCH = 20
"""The same once `MANY_REQUESTS` were played."""
MANY_REQUESTS = 368_000
"""What never happened in n requests happens to 1 / (e n) of them on average at worst: from here on to less than one in a million."""
LEAST_EVENTS = 100
"""Losses or failures of one kind from which on their rate is known to a tenth."""
_ALIKE = 3.5
"""Standard errors within which two means are taken to be the same."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Seconds to be drawn from. `begins` are the positions at which a whole block begins, `last` is where the newest begins."""

    counts: Counts
    busy_s: Seconds
    seconds: tuple[Second, ...]
    under_way_before: Counts
    under_way_after: Counts
    tied: NDArray[np.bool_]
    begins: NDArray[np.int64]
    room: Counts
    """How much may be under way before each second, in the order of `Columns.under_way`, for none of its totals to go back."""
    offered_before: Counts
    """Requests offered in all seconds before each, and in all of them, per flow."""
    last: int


@dataclass(frozen=True, slots=True)
class _Rows:
    """A run as arrays, a row for each of its seconds but the first."""

    first: Second
    counts: Counts
    """What was counted in each."""
    busy_s: Seconds
    under_way: Counts
    """At the beginning of each, and at the end of the last."""
    signals: Seconds
    """What is looked at: answers, requests under way, work, queues, hits and misses of caches, reads and writes."""

    @classmethod
    def of(cls, run: Sequence[Second], columns: Columns) -> _Rows:
        """Of a run."""
        counts = np.array([second.counts for second in run])
        gains, busy_s = np.diff(counts, axis=0), np.diff(np.array([second.busy_s for second in run]), axis=0)
        under_way = columns.under_way(counts)
        wanted = [columns.good, *(columns.edge[name] for name in ("hits", "misses"))]
        wanted += [columns.station[name] for name in ("reads", "writes_attempted")]
        queued = np.array([second.queued for second in run[1:]])
        parts = [*(gains[:, each] for each in wanted), under_way[1:], busy_s, queued]
        return cls(run[0], gains, busy_s, under_way, np.concatenate(parts, axis=1).astype(np.float64))


class Library:
    """Exact seconds of one set of settings, in runs that were not interrupted; the first of a run is only where it begins."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._runs: list[list[Second]] = []
        self._rows: dict[int, _Rows] = {}
        """Of runs that were looked at, by their identity: most are the same when they are looked at again."""
        self.played = 0
        """Seconds that were ever added."""
        self.requests = 0
        """Requests offered in these."""
        self.drawn = 0
        """Seconds that were drawn."""

    def copied(self) -> Library:
        """One that goes its own way from here; what it holds never changes."""
        other = Library(self._columns)
        other._runs = [list(run) for run in self._runs]
        other.played, other.requests, other.drawn = self.played, self.requests, self.drawn
        return other

    @property
    def newest(self) -> list[Second]:
        """The run that was let in last."""
        return self._runs[-1]

    @property
    def kept(self) -> int:
        """Seconds that can be drawn."""
        return sum(len(run) - 1 for run in self._runs)

    @property
    def allowance(self) -> int:
        """How many more seconds may be drawn."""
        return (STRETCH if self.requests < MANY_REQUESTS else FAR_STRETCH) * self.played - self.drawn

    def admits(self, run: Sequence[Second], least_s: int = CHECK_S) -> bool:
        """Whether a new run belongs here: stationary by itself while there is nothing to compare with, else like what is known."""
        if self.kept < LEAST_S:
            return len(run) - 1 >= LEAST_S and self._is_stationary(run)
        return len(run) - 1 >= least_s and self._is_alike(run)

    def add(self, run: list[Second]) -> None:
        """Keep a run that was admitted; the caller may go on adding to it, and says so by `extended`."""
        self._runs.append(run)
        self._count(run[0], run[-1], len(run) - 1)

    def extended(self) -> None:
        """The newest run has got one more second."""
        self._count(self.newest[-2], self.newest[-1], 1)

    def _count(self, first: Second, last: Second, seconds: int) -> None:
        self.played += seconds
        self.requests += int((last.counts - first.counts)[self._columns.offered].sum())
        self._trim()

    def _trim(self) -> None:
        spare = self.kept - MOST_KEPT
        while spare > 0:
            oldest = self._runs[0]
            if len(oldest) - 1 <= spare:
                spare -= len(oldest) - 1
                del self._runs[0]
                self._rows.pop(id(oldest), None)
            else:
                del oldest[:spare]
                spare = 0

    # -- whether --------------------------------------------------------------------------------------------------------

    def is_representative(self, rates: Seconds) -> bool:
        """Whether every flow has brought enough requests, and whatever went wrong did so often or not at all.

        Of a flow whose rate is known (requests a second, else nan) they are those to be expected: to wait until so many have come would make
        a sample with a few more than usual out of every one.
        """
        gained = np.sum([run[-1].counts - run[0].counts for run in self._runs], axis=0)
        brought = np.where(np.isnan(rates), gained[self._columns.good], rates * self.kept)
        troubles = self._columns.troubles(gained)
        return bool((brought >= LEAST_REQUESTS).all() and ((troubles == 0) | (troubles >= LEAST_EVENTS)).all())

    def _rows_of(self, run: list[Second]) -> _Rows:
        """Of one of the runs that are kept."""
        rows = self._rows.get(id(run))
        if rows is None or rows.first is not run[0] or len(rows.counts) != len(run) - 1:
            rows = self._rows[id(run)] = _Rows.of(run, self._columns)
        return rows

    def _is_stationary(self, run: Sequence[Second]) -> bool:
        """Whether nothing has a trend, and all forget soon: seconds further apart than half a block do not depend on each other."""
        noise = _Noise.of(_Rows.of(run, self._columns).signals)
        return bool((noise.trend <= _ALIKE).all() and (noise.seconds_alike <= BLOCK / 2.0).all())

    def _is_alike(self, run: Sequence[Second]) -> bool:
        """Whether the means are those of what is known: of the whole run and of each ten seconds of it, for what drains is soon gone.

        A signal varies as it does in what is known. Only a queue is taken to vary as much as it does on the side where it varies more: one
        that is empty but for a second now and then seems always empty where it was looked at for a minute. What it holds is seen in the
        requests held as well, and those have to be alike by their own measure.
        """
        signals = [self._rows_of(each).signals for each in self._runs]
        known, new = np.concatenate(signals), _Rows.of(run, self._columns).signals
        alike = _Noise.of(max(signals, key=len)).seconds_alike
        usual, variance, queues = known.mean(axis=0), known.var(axis=0), slice(-self._columns.stations, None)
        for part in (new, *(new[end - BLOCK : end] for end in range(len(new), BLOCK - 1, -BLOCK))):
            spread = variance.copy()
            spread[queues] = np.maximum(spread[queues], part.var(axis=0)[queues])
            error = np.sqrt(spread * alike * (1.0 / len(part) + 1.0 / len(known)))
            if (np.abs(part.mean(axis=0) - usual) > _ALIKE * error + 1.0 / len(part)).any():
                return False
        return True

    # -- what -----------------------------------------------------------------------------------------------------------

    def blocks(self) -> Blocks:
        """Everything that can be drawn."""
        columns, runs = self._columns, [self._rows_of(run) for run in self._runs]
        seconds: list[Second] = []
        begins: list[int] = []
        for run in self._runs:
            begins += range(len(seconds), len(seconds) + len(run) - BLOCK)
            seconds += run[1:]
        counts = np.concatenate([rows.counts for rows in runs])
        work = np.concatenate([rows.busy_s for rows in runs])
        begun, ended = (np.concatenate([rows.under_way[part] for rows in runs]) for part in (slice(None, -1), slice(1, None)))
        tied, last = columns.tied(counts.sum(axis=0)), len(seconds) - BLOCK
        offered = np.concatenate([np.zeros((1, columns.flows), dtype=np.int64), counts[:, columns.offered].cumsum(axis=0)])
        room = np.where(tied, columns.totals(counts) + begun, np.iinfo(np.int64).max)
        return Blocks(counts, work, tuple(seconds), begun, ended, tied, np.array(begins), room, offered, last)


@dataclass(frozen=True, slots=True)
class _Noise:
    """What the seconds of each signal owe to chance."""

    trend: Seconds
    """Slope over time, in standard errors."""
    seconds_alike: Seconds
    """Over how many seconds they depend on each other: their mean has this many times the variance it had if they did not."""

    @classmethod
    def of(cls, signals: Seconds) -> _Noise:
        """Least squares over time; the autocorrelations of what remains, summed over a block."""
        count = len(signals)
        time = np.arange(count) - (count - 1) / 2.0
        slope = time @ signals / (time @ time)
        rest = signals - signals.mean(axis=0) - np.outer(time, slope)
        power = (rest**2).mean(axis=0)
        moves = power > 1e-18
        safe = np.where(moves, power, 1.0)
        lags = (np.einsum("ij,ij->j", rest[lag:], rest[:-lag]) / count for lag in range(1, BLOCK + 1))
        alike = np.where(moves, np.maximum(1.0, 1.0 + 2.0 * np.sum([lag / safe for lag in lags], axis=0)), 1.0)
        error = np.sqrt(safe * alike / (time @ time))
        return cls(np.where(moves, np.abs(slope) / error, np.where(np.abs(slope) > 1e-12, np.inf, 0.0)), alike)
