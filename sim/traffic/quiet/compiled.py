"""The compiled engine with a row of counters: the words of its arena that count, wherever they lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from sim.streams import Streams
from sim.traffic import BUCKETS
from sim.traffic.compiled import CompiledEngine
from sim.traffic.compiled import layout as at
from sim.traffic.compiled.stepping import GAUGE
from sim.traffic.compiled.tables import Tables
from sim.traffic.plan import Plan
from sim.traffic.quiet.tally import EDGE_COUNTERS, REASONS, STATION_COUNTERS

if TYPE_CHECKING:
    from sim.traffic.quiet.tally import Counts, Seconds

_STATION_WORDS = {
    "arrived": at.S_ARRIVED,
    "completed": at.S_COMPLETED,
    "failed": at.S_FAILED,
    "shed_below_limit": at.S_SHED_BELOW_LIMIT,
    "reads": at.S_READS,
    "writes_attempted": at.S_WRITES_ATTEMPTED,
    "writes_acknowledged": at.S_WRITES_ACKNOWLEDGED,
    "writes_indeterminate": at.S_WRITES_INDETERMINATE,
    "dead_letters": at.S_DEAD_LETTERS,
}
_EDGE_WORDS = {
    "attempts": at.E_ATTEMPTS,
    "failures": at.E_FAILURES,
    "retries": at.E_RETRIED,
    "skipped": at.E_SKIPPED,
    "cancelled": at.E_CANCELLED,
    "hedges": at.E_HEDGED,
    "hits": at.E_HITS,
    "misses": at.E_MISSES,
    "joined": at.E_JOINED,
}


class TallyingCompiledEngine(CompiledEngine):
    """The compiled engine with a row of counters. Records never move, so it knows their words once and for all."""

    def __init__(self, plan: Plan, streams: Streams) -> None:
        super().__init__(plan, streams)
        self._counters = np.fromiter(_counters(self._tables), dtype=np.int64)
        numbers = np.arange(len(plan.stations), dtype=np.int64)
        self._busy = self._tables.stations + at.STATION_WORDS * numbers + at.S_BUSY_S
        self._busy_now = self._busy - at.S_BUSY_S + at.S_BUSY_NOW_S

    def tally(self) -> tuple[Counts, Seconds]:
        """All counters, in the order of `Columns`, and behind them the sums the kernel keeps of some."""
        arena = self._arena
        arena.ask(GAUGE, self._tables.stations, len(self._plan.stations))
        return arena.words[self._counters], arena.reals[self._busy_now]

    def credit(self, counts: Counts, busy_s: Seconds) -> None:
        """Count all this too."""
        self._arena.words[self._counters] += counts
        self._arena.reals[self._busy] += busy_s


def _counters(tables: Tables) -> Iterator[int]:
    word, flows = tables.arena.word, tables.flows
    stations = [tables.station(number) for number in range(len(tables.plan.stations))]
    edges = [tables.edge(number) for number in range(len(tables.plan.edges))]
    for first, count in ((at.F_OFFERED, 1), (at.F_GOOD, 1), (at.F_LOST, REASONS), (at.F_LATENCY, BUCKETS)):
        for flow in flows:
            yield from range(flow + first, flow + first + count)
    for flow in flows:
        yield from range(word[flow + at.F_ENTERED], word[flow + at.F_ENTERED] + 2 * len(stations))
    for name in STATION_COUNTERS:
        yield from (station + _STATION_WORDS[name] for station in stations)
    for first in (at.S_REFUSED_BY, at.S_ADMITTED_BY, at.S_DROPPED_BY):
        for station in stations:
            yield from range(station + first, station + first + 3)
    for name in EDGE_COUNTERS:
        yield from (edge + _EDGE_WORDS[name] for edge in edges)
    for flow in flows:
        yield from (flow + at.F_ANSWERED, flow + at.F_LOST_ALL)
    yield at.H_LOST_ALL
