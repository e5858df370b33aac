"""The compiled traffic engine: the plain engine's twin, bit for bit, 25 to 40 times faster.

    plan ──▶ building.py ──▶ arena ◀──▶ machine.py (compiled) ◀──▶ this file: time, observation, notes

The rule that surprises: every number the kernel calculates with comes from the same place as in the plain engine (numpy's blocks of
draws, Python's sums), and every sequence number is taken at the same moment, so ties fall the same way.
"""

from __future__ import annotations

from math import inf

import numpy as np

from sim.streams import Streams
from sim.traffic import BUCKETS, Details, Note, Observation, Snapshot, WriteLog
from sim.traffic.change_checks import check_change, check_trace
from sim.traffic.changes import Change
from sim.traffic.checks import check
from sim.traffic.compiled import layout as at
from sim.traffic.compiled.building import build_tables
from sim.traffic.compiled.changing import Changing
from sim.traffic.compiled.layout import I_QUEUED, I_RUNNING
from sim.traffic.compiled.observing import View
from sim.traffic.compiled.records import Records
from sim.traffic.compiled.stepping import FIRST_ARRIVAL, GAUGE, SHORT, WATCHED
from sim.traffic.compiled.watches import drop_watch, set_watch, take_fired
from sim.traffic.marks import Mark
from sim.traffic.plan import Plan
from sim.traffic.watching import Stop, Watch

_UNTIL = Stop.UNTIL  # an attribute of an enumeration is slow to look up


class CompiledEngine:
    """One simulated data plane, as the protocol `sim.traffic.Engine` wants it."""

    def __init__(self, plan: Plan, streams: Streams) -> None:
        check(plan)
        self._plan = plan
        self._now = 0.0
        self._tables = tables = build_tables(plan, streams)
        self._arena = tables.arena
        self._records = Records(tables)
        self._changing = Changing(tables, self._records)
        for flow, record in zip(plan.flows, tables.flows, strict=True):
            if flow.rate:
                self._arena.ask(FIRST_ARRIVAL, record)
                self._changing.provide()
            self._changing.think(record, -1.0)
        self._view = View(tables)

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return self._now

    def advance(self, until: float) -> Stop:
        """Play every event up to and including `until` (seconds), or until a watch speaks up; says which of them."""
        if not self._now <= until < inf:
            raise ValueError(f"advance(until={until}): time runs forward from now={self._now} and stays finite")
        arena = self._arena
        until = float(until)
        stopped = arena.play(until)
        while stopped == SHORT:
            self._changing.provide()
            stopped = arena.play(until)
        if stopped != WATCHED:
            self._now = until
            return _UNTIL
        self._now = arena.real[at.H_NOW]
        return Stop.WATCH

    def watch(self, condition: Watch) -> int:
        """Return early from `advance` when the condition holds; returns the watch's number."""
        condition.check(self._plan, [len(each) for each in self._tables.instances])
        return set_watch(self._tables, condition)

    def unwatch(self, number: int) -> None:
        """Watch it no more; one that has fired or never was is no error."""
        drop_watch(self._tables, number)

    def take_fired(self) -> list[int]:
        """Numbers of the watches that have fired since the last call; they are gone."""
        return take_fired(self._tables)

    def apply(self, change: Change) -> None:
        """Change the system at the present instant; a bad value raises ValueError and changes nothing."""
        check_change(change, self._plan, lambda station: len(self._tables.instances[station]))
        self._changing.change(change)

    @property
    def attempts_kept(self) -> int:
        """How many attempts are remembered: for tests of what an engine keeps."""
        return self._arena.attempts_kept

    # Observation

    def observe(self) -> Observation:
        """Counts and gauges at the present instant; the same object every time, so copy what you keep."""
        self._view.renew()
        return self._view

    def instance_busy(self, station: int, instance: int) -> tuple[int, int]:
        """Busy slots and queued requests of one instance."""
        record, word = self._tables.instances[station][instance], self._arena.word
        return word[record + I_RUNNING], word[record + I_QUEUED]

    def details(self) -> Details:
        """More about every station and edge, as copies."""
        arena, tables, plan = self._arena, self._tables, self._plan
        arena.ask(GAUGE, tables.stations, len(plan.stations))
        ends = tables.stations + len(plan.stations) * at.STATION_WORDS
        stations = arena.words[tables.stations : ends].reshape(-1, at.STATION_WORDS)
        limits = arena.reals[tables.stations : ends].reshape(-1, at.STATION_WORDS)[:, at.S_LIMIT]
        edges = arena.words[tables.edges : tables.edges + len(plan.edges) * at.EDGE_WORDS].reshape(-1, at.EDGE_WORDS)
        length = len(plan.classes) * BUCKETS
        firsts = stations[:, at.S_LATENCY].tolist()
        return Details(
            visits=np.stack([arena.words[first : first + length].reshape(-1, BUCKETS) for first in firsts]),
            wasted=stations[:, at.S_WASTED].copy(),
            failed_by=stations[:, at.S_FAILED_BY : at.S_FAILED_BY + at.REASONS].copy(),
            limit=limits.copy(),
            limited=stations[:, at.S_LIMITED].copy(),
            unsent_by=edges[:, at.E_UNSENT_BY : at.E_UNSENT_BY + at.REASONS].copy(),
        )

    def write_log(self, station: int) -> WriteLog:
        """Writes of a database node that have not been dropped yet."""
        plan = self._plan.stations[station]
        if not plan.keeps_writes:
            raise ValueError(f"station {plan.name!r} keeps no writes")
        record, word, real = self._tables.station(station), self._arena.word, self._arena.real
        count, times, flags = word[record + at.S_LOG_COUNT], word[record + at.S_LOG], word[record + at.S_LOG_FLAGS]
        return WriteLog(word[record + at.S_LOG_BASE], real[times : times + count], word[flags : flags + count])

    def take_notes(self) -> list[Note]:
        """Notes since the last call, in order of time."""
        self._records.collect()
        notes, self._records.notes = self._records.notes, []
        return notes

    # Traces

    def trace(self, flow: int, every: int) -> None:
        """From now on trace every so manyth request of a flow, by the count of those offered; 0 traces none."""
        check_trace(flow, every, self._plan)
        self._records.trace(flow, every)

    def take_marks(self) -> list[Mark]:
        """What has happened to traced requests since the last call, in order."""
        self._records.collect()
        marks, self._records.marks = self._records.marks, []
        return marks

    # Going back

    def snapshot(self) -> Snapshot:
        """Everything the future depends on, as of now: a copy of the arena, and where the streams stand."""
        self._records.collect()
        records = (list(self._records.notes), list(self._records.marks))
        state = (self._now, records, self._arena.saved(), self._tables.draws.saved(), self._tables.saved())
        return Snapshot("compiled", self._plan, state)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back (or on) to a snapshot of this engine or of another one of the same kind and plan; it can be restored again."""
        snapshot.check("compiled", self._plan)
        self._now, (notes, marks), arena, draws, tables = snapshot.state
        self._records.notes, self._records.marks = list(notes), list(marks)
        self._arena.bring_back(arena)
        self._tables.draws.bring_back(draws)
        self._tables.bring_back(tables)
        self._view = View(self._tables)
