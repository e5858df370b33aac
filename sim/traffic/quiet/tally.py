"""All counters of an engine as one row of numbers, so that a second can be taken down, and credited again.

The rule that surprises: three totals are tied to what is under way. Requests offered are those answered, those lost and those in flight;
arrivals at a station are those completed, failed and held; writes attempted are those that have an outcome and those that have none yet.
Seconds from two different times do not meet in what is under way, so where they are put one after the other the *total* makes up for the
difference (`joined`), and these laws hold at every second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sim.traffic import BUCKETS, Engine, Observation
from sim.traffic.plan import Plan, Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Seconds = NDArray[np.float64]

REASONS = len(Reason)
STATION_COUNTERS = (
    *("arrived", "completed", "failed", "shed_below_limit"),
    *("reads", "writes_attempted", "writes_acknowledged", "writes_indeterminate", "dead_letters"),
)
EDGE_COUNTERS = ("attempts", "failures", "retries", "skipped", "cancelled", "hedges", "hits", "misses", "joined")


class Tallying(Engine, Protocol):
    """An engine whose counters can be read and added to as one row."""

    def tally(self) -> tuple[Counts, Seconds]:
        """All counters at the present instant in the order of `Columns`, and the slot-seconds used per station; copies."""

    def credit(self, counts: Counts, busy_s: Seconds) -> None:
        """Count all this too, as if it had happened. Nothing the future depends on changes."""


class Columns:
    """Where each counter lies in a row; the same for both engines. Behind the last of these an engine may keep what it derives."""

    def __init__(self, plan: Plan) -> None:
        self.flows, self.stations, self.edges = len(plan.flows), len(plan.stations), len(plan.edges)
        self._used = 0
        self.offered = self._take(self.flows)
        self.good = self._take(self.flows)
        self.lost = self._take(self.flows * REASONS)
        self.latency = self._take(self.flows * BUCKETS)
        self.entered = self._take(self.flows * self.stations * 2)
        self.station = {name: self._take(self.stations) for name in STATION_COUNTERS}
        self.refused_by = self._take(self.stations * 3)
        self.admitted_by = self._take(self.stations * 3)
        self.dropped_by = self._take(self.stations * 3)
        self.edge = {name: self._take(self.edges) for name in EDGE_COUNTERS}
        self.width = self._used

    def _take(self, count: int) -> slice:
        self._used += count
        return slice(self._used - count, self._used)

    def lost_by_flow(self, counts: Counts) -> Counts:
        """Requests lost, of every row and flow."""
        return self._summed(counts, self.lost, REASONS)

    def _summed(self, counts: Counts, columns: slice, each: int) -> Counts:
        rows = counts[..., columns]
        summed: Counts = rows.reshape(*rows.shape[:-1], -1, each).sum(axis=-1)
        return summed

    def under_way(self, counts: Counts) -> Counts:
        """Requests in flight per flow, requests held per station, writes without an outcome per station; of one row or of many.

        Writes that failed have none either, so where there are any the last means nothing.
        """
        in_flight = counts[..., self.offered] - counts[..., self.good] - self.lost_by_flow(counts)
        arrived, completed, failed = (counts[..., self.station[name]] for name in ("arrived", "completed", "failed"))
        writes = (counts[..., self.station[f"writes_{name}"]] for name in ("attempted", "acknowledged", "indeterminate"))
        attempted, acknowledged, indeterminate = writes
        return np.concatenate([in_flight, arrived - completed - failed, attempted - acknowledged - indeterminate], axis=-1)

    def tied(self, counts: Counts) -> NDArray[np.bool_]:
        """Which of `under_way` mean something, by what was counted in all."""
        sound = counts[self.station["failed"]] == 0
        return np.concatenate([np.ones(self.flows + self.stations, dtype=bool), sound])

    def totals(self, counts: Counts) -> Counts:
        """The totals that are tied to what is under way, in the order of `under_way`."""
        stations = (counts[..., self.station[name]] for name in ("arrived", "writes_attempted"))
        return np.concatenate([counts[..., self.offered], *stations], axis=-1)

    def troubles(self, counts: Counts) -> Counts:
        """Everything that went wrong for good: requests lost per flow, attempts failed and dead letters per station, calls an open
        breaker refused per edge. A timeout that a retry or an optional call makes up for is none of these.
        """
        station, edge = self.station, self.edge
        failed = (counts[..., station["failed"]], counts[..., station["dead_letters"]])
        return np.concatenate([self.lost_by_flow(counts), *failed, counts[..., edge["skipped"]]], axis=-1)

    def joined(self, counts: Counts, more: Counts, usual: Counts | None = None) -> Counts:
        """A second's counts, with `more` (as `under_way`) under way at its beginning than the second before has left.

        The totals make up for it. Where a total would have to go back, as many as are too few are completed well at once instead: with the
        latency and at the place that are most common in the second, or in `usual`.
        """
        if not more.any():
            return counts
        usual = counts if usual is None else usual
        counts = counts.copy()
        flows, held = self.flows, self.flows + self.stations
        stations, writes = more[flows:held], more[held:]
        offered, arrived = counts[self.offered], counts[self.station["arrived"]]
        offered += more[:flows]
        for flow in np.flatnonzero(offered < 0):
            self._answer(counts, int(flow), -int(offered[flow]), usual)
            offered[flow] = 0
        arrived += stations
        short = np.minimum(arrived, 0)
        counts[self.station["completed"]] -= short
        arrived -= short
        _add_to_most_common(counts[self.admitted_by].reshape(-1, 3), stations - short)
        if writes.any():
            attempted = counts[self.station["writes_attempted"]]
            attempted += writes
            counts[self.station["writes_acknowledged"]] -= np.minimum(attempted, 0)
            np.maximum(attempted, 0, out=attempted)
        return counts

    def _answer(self, counts: Counts, flow: int, count: int, usual: Counts) -> None:
        counts[self.good][flow] += count
        counts[self.latency].reshape(self.flows, BUCKETS)[flow, self._latency_of(usual, flow)] += count
        good = usual[self.entered].reshape(self.flows, self.stations, 2)[flow, :, 0]
        counts[self.entered].reshape(self.flows, self.stations, 2)[flow, good.argmax(), 0] += count

    def _latency_of(self, usual: Counts, flow: int) -> int:
        return int(usual[self.latency].reshape(self.flows, BUCKETS)[flow].argmax())


def _add_to_most_common(rows: Counts, more: Counts) -> None:
    """Add to the largest of the counts in each row; a negative number is taken from them, none of which goes below zero."""
    moved = np.flatnonzero(more)
    left = more[moved]
    for place in np.argsort(-rows[moved], axis=1, kind="stable").T:
        taken = np.maximum(left, -rows[moved, place])
        rows[moved, place] += taken
        left = left - taken


@dataclass(frozen=True, slots=True)
class Second:
    """What an engine shows at the end of one second."""

    counts: Counts
    busy_s: Seconds
    busy: tuple[int, ...]
    queued: tuple[int, ...]

    @classmethod
    def taken(cls, engine: Tallying, seen: Observation) -> Second:
        """Of this instant."""
        counts, busy_s = engine.tally()
        return cls(counts, busy_s, tuple(seen.busy), tuple(seen.queued))
