"""The two engines, able to tell all their counters as one row and to be credited with more (see `tally`).

The rule that surprises: nothing here is known to the engines themselves; they play as they always do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.streams import Streams
from sim.traffic import BUCKETS, Snapshot
from sim.traffic.plain import PlainEngine
from sim.traffic.plan import Plan
from sim.traffic.quiet.tally import EDGE_COUNTERS, REASONS, STATION_COUNTERS, Columns, Tallying

if TYPE_CHECKING:
    from sim.traffic.engines import EngineKind
    from sim.traffic.quiet.tally import Counts, Seconds


class TallyingPlainEngine(PlainEngine):
    """The plain engine with a row of counters."""

    def __init__(self, plan: Plan, streams: Streams) -> None:
        super().__init__(plan, streams)
        self._columns = Columns(plan)

    def tally(self) -> tuple[Counts, Seconds]:
        """All counters, in the order of `Columns`."""
        seen = self.observe()
        numbers: list[int] = [*seen.offered, *seen.good]
        for rows in (seen.lost, seen.latency):
            numbers.extend(number for row in rows for number in row)
        for places in seen.entered:
            for station in range(self._columns.stations):
                numbers.extend(places.get(station, (0, 0)))
        for name in STATION_COUNTERS:
            numbers.extend(getattr(seen, name))
        for rows in (seen.refused_by, seen.admitted_by, seen.dropped_by):
            numbers.extend(number for row in rows for number in row)
        for name in EDGE_COUNTERS:
            numbers.extend(getattr(seen, name))
        return np.array(numbers, dtype=np.int64), np.array(seen.busy_s)

    def snapshot(self) -> Snapshot:
        """Everything the future depends on; where the counters lie is no part of it."""
        columns = self.__dict__.pop("_columns")
        try:
            return super().snapshot()
        finally:
            self._columns = columns

    def credit(self, counts: Counts, busy_s: Seconds) -> None:
        """Count all this too."""
        columns = self._columns
        lost = counts[columns.lost].reshape(-1, REASONS).tolist()
        latency = counts[columns.latency].reshape(-1, BUCKETS).tolist()
        entered = counts[columns.entered].reshape(columns.flows, columns.stations, 2)
        for number, flow in enumerate(self._flows):
            flow.offered += int(counts[columns.offered][number])
            flow.good += int(counts[columns.good][number])
            for row, more in ((flow.lost, lost[number]), (flow.latency, latency[number])):
                row[:] = [old + new for old, new in zip(row, more, strict=True)]
            for place in np.flatnonzero(entered[number].any(axis=1)).tolist():
                pair = flow.entered[place]
                pair[:] = [old + int(new) for old, new in zip(pair, entered[number, place], strict=True)]
        kinds = (columns.refused_by, columns.admitted_by, columns.dropped_by)
        by_priority = [counts[kind].reshape(-1, 3).tolist() for kind in kinds]
        for number, station in enumerate(self._stations):
            for name in STATION_COUNTERS:
                setattr(station, name, getattr(station, name) + int(counts[columns.station[name]][number]))
            for row, kind in zip((station.refused_by, station.admitted_by, station.dropped_by), by_priority, strict=True):
                row[:] = [old + new for old, new in zip(row, kind[number], strict=True)]
            station.busy_s += float(busy_s[number])
        for number, edge in enumerate(self._edges):
            for name in EDGE_COUNTERS:
                setattr(edge, name, getattr(edge, name) + int(counts[columns.edge[name]][number]))


def make_tallying_engine(plan: Plan, streams: Streams, kind: EngineKind = "auto") -> Tallying:
    """As `sim.traffic.engines.make_engine`: `plain`, `compiled`, or `auto` = compiled where numba can be imported."""
    from sim.traffic.engines import can_compile

    if not can_compile(kind):
        return TallyingPlainEngine(plan, streams)
    from sim.traffic.quiet.compiled import TallyingCompiledEngine

    return TallyingCompiledEngine(plan, streams)
