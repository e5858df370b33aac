"""The engine with quiet stretches: exact, except that it jumps over time in which nothing happens.

In a jump the engine inside stands still, and seconds it has played before are counted in its place. The rule that surprises: there are two
clocks then. The engine's own falls behind; all its times (writes, notes, traces) are moved to ours on their way out, and the arrival
rates, which follow our clock, are kept outside of it (`regime.Rates`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import ceil, floor, inf
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.streams import Streams
from sim.traffic import Details, Note, Observation, Snapshot, WriteLog
from sim.traffic.changes import Change, DropWrites, SetFlow
from sim.traffic.marks import Mark
from sim.traffic.plan import Plan
from sim.traffic.quiet.engines import make_tallying_engine
from sim.traffic.quiet.jump import Jump
from sim.traffic.quiet.library import BLOCK, CHECK_S, LEAST_S, Library
from sim.traffic.quiet.regime import RESIDENCES, Rates, Regime, memory_s
from sim.traffic.quiet.shown import Shown
from sim.traffic.quiet.tally import Columns, Second, Tallying
from sim.traffic.quiet.why import Why
from sim.traffic.watching import Stop, Watch

if TYPE_CHECKING:
    from sim.traffic.engines import EngineKind

STREAM = "quiet stretches"
LEAST_JUMP_S = 3 * BLOCK
"""A shorter jump is not worth its seams."""
_SLIDES_BY = BLOCK
_LIBRARIES = 4
"""Sets of settings of which seconds are kept: the newest."""


def make_quiet_engine(plan: Plan, streams: Streams, kind: EngineKind = "auto") -> QuietEngine:
    """An engine that jumps over quiet stretches, once it is told what is ahead (`foresee`)."""
    rates = Rates(plan)
    return QuietEngine(make_tallying_engine(rates.flattened(plan), streams, kind), plan, rates, streams)


class QuietEngine:
    """Another implementation of `sim.traffic.Engine`. Until `foresee` is set it never jumps."""

    def __init__(self, inner: Tallying, plan: Plan, rates: Rates, streams: Streams) -> None:
        self._inner = inner
        self._plan = plan
        self._rates = rates
        self._draws = streams.generator(STREAM)
        self._columns = Columns(plan)
        self._memory_s = memory_s(plan)
        self._possible = self._memory_s < inf and all(flow.burst is None for flow in plan.flows)
        self.foresee: Callable[[float], float] = lambda now: now
        """When anything may happen next that is not known here; now, if something goes on."""
        self.jumped_s = 0.0
        """Seconds shown instead of being played."""
        self.played_s: Counter[Why] = Counter()
        """Whole seconds that were played, by what for."""
        self._now = self._offset = 0.0
        self._regime = Regime(plan)
        self._libraries: dict[Any, Library] = {}
        self._since = 0.0
        """When anything last happened."""
        self._run: list[Second] = []
        self._kept_at = 0.0
        self._admitted = False
        self._least_s = CHECK_S
        """Seconds after which the run may be compared with what is known."""
        self._key: Any = None
        """Of the settings in force, once somebody asked."""
        self._lead_s = self._memory_s
        """How long before anything happens all is played again."""
        self._jump: Jump | None = None
        self._watches: set[int] = set()
        self._notes: list[Note] = []
        self._marks: list[Mark] = []
        self._last_trace = self._traces_over = 0
        self._log_offsets: dict[int, list[tuple[int, float]]] = {}
        self._seen: tuple[float, Observation] | None = None
        self._tell_rates()

    # -- time -----------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return self._now

    @property
    def jumping(self) -> bool:
        """Whether the engine stands still at present."""
        return self._jump is not None

    def advance(self, until: float) -> Stop:
        """Play, or show, everything up to and including `until`, or until a watch speaks up."""
        if not self._now <= until < inf:
            raise ValueError(f"advance(until={until}): time runs forward from now={self._now} and stays finite")
        self._seen = None
        while True:
            tick = min(until, floor(self._now) + 1.0)
            if self._jump is not None:
                self._now = tick
                if tick == self._jump.shown_to + 1.0:
                    self._show(self._jump)
            elif self._play(min(tick, self._rates.next_change(self._now))) is Stop.WATCH:
                return Stop.WATCH
            if self._now >= until:
                return Stop.UNTIL

    def _play(self, until: float) -> Stop:
        """Play exactly; at a whole second look whether it could be left."""
        if self._inner.advance(max(self._inner.now, until - self._offset)) is Stop.WATCH:
            self._now = min(until, max(self._now, self._inner.now + self._offset))
            return Stop.WATCH
        before, self._now = self._now, until
        if self._rates.next_change(before) <= until:
            self._tell_rates()
            self._disturb()
        if until == floor(until) and until > before and self._possible:
            self._at_second()
        return Stop.UNTIL

    def _tell_rates(self) -> None:
        for change in self._rates.settings(self._now):
            self._inner.apply(change)

    def _disturb(self) -> None:
        """Something has happened now."""
        self._since = self._now
        self._run, self._admitted, self._least_s, self._key = [], False, CHECK_S, None

    # -- into a jump and out of it --------------------------------------------------------------------------------------

    def _at_second(self) -> None:
        """Keep this second if nothing goes on, and jump if enough is known and enough time is ahead."""
        ahead_s = self.foresee(self._now)
        if ahead_s <= self._now or (self._run and self._now != self._kept_at + 1.0):
            self.played_s[Why.GOES_ON] += 1
            self._disturb()
            return
        ahead_s = min(ahead_s, self._rates.next_change(self._now))
        self.played_s[self._why(ahead_s)] += 1
        if self._now - self._since < self._memory_s:
            return
        self._keep_second()
        if self._admitted:
            self._library.extended()
        elif len(self._run) > self._least_s and (len(self._run) - 1) % _SLIDES_BY == 0:
            self._admit()
        if self._admitted and not self._watches:
            self._jump_to(ahead_s)

    def _why(self, ahead_s: float) -> Why:
        """What the second that ends now was played for."""
        if self._watches:
            return Why.GOES_ON
        if not self._run:
            return Why.SETTLES
        if ahead_s - self._now < self._lead_s + LEAST_JUMP_S:
            return Why.WARMS_UP
        if self._admitted or self._least_s < CHECK_S:
            return Why.RATIONED
        return Why.SAMPLED if self._library.kept < LEAST_S else Why.COMPARED

    def _keep_second(self) -> None:
        self._run.append(Second.taken(self._inner, self.observe()))
        self._kept_at = self._now

    @property
    def _library(self) -> Library:
        """What is known of the present settings."""
        if self._key is None:
            self._key = self._regime.key(), self._rates.key(self._now)
            known = self._libraries.pop(self._key, None)
            self._libraries[self._key] = Library(self._columns) if known is None else known
            while len(self._libraries) > _LIBRARIES:
                del self._libraries[next(iter(self._libraries))]
        return self._libraries[self._key]

    def _admit(self) -> None:
        """Let the present run into its library if it is calm, else leave its beginning behind."""
        library = self._library
        if library.admits(self._run, self._least_s):
            library.add(self._run)
            self._admitted = True
        elif len(self._run) > LEAST_S or library.kept >= LEAST_S:
            del self._run[:_SLIDES_BY]

    def _warm_up_s(self) -> float:
        """How long to play exactly before anything happens: the system's memory, and so many mean residence times (by Little's law)."""
        first, last = self._run[0].counts, self._run[-1].counts
        seconds = max(1, len(self._run) - 1)
        ended = float((last - first)[self._columns.good].sum()) / seconds
        held = float(self._columns.under_way(last)[: self._columns.flows].sum())
        return max(self._memory_s, RESIDENCES * held / ended if ended else inf)

    def _jump_to(self, ahead_s: float) -> None:
        """Jump until more than a warm-up before anything happens: so the seconds of a warm-up can be compared, and count as played."""
        library = self._library
        if min(ahead_s - self._memory_s - self._now, library.allowance) < LEAST_JUMP_S:
            return
        self._lead_s = self._warm_up_s()
        time_s = ceil(min(ahead_s - self._lead_s - 1.0 - self._now, library.allowance))
        rates = [self._rates.of(flow, self._now) for flow in range(self._columns.flows)]
        known = np.array([np.nan if rate is None else rate for rate in rates])
        if time_s < LEAST_JUMP_S or len(self._run) <= BLOCK or not library.is_representative(known):
            return
        known = np.nan_to_num(known)
        under_way = self._columns.under_way(self._run[-1].counts)
        ends_at = self._now + time_s
        self._notes, self._marks = self.take_notes(), self.take_marks()
        self._traces_over = self._last_trace
        state = (under_way, under_way, known, np.flatnonzero(known), np.zeros(len(known)))
        self._jump = Jump(library.blocks(), self._columns, self._draws, self._now, ends_at, *state)

    def _show(self, jump: Jump) -> None:
        """Show the second that ends now; at the end of the jump, or when something has come nearer than a warm-up, play on."""
        jump.show_second(self._inner)
        self.jumped_s += 1.0
        self._library.drawn += 1
        latest = self.foresee(self._now) - self._lead_s
        if latest < jump.ends_at:
            blocks = (latest - self._now - jump.left) // BLOCK
            jump.ends_at = self._now if blocks < 1 else self._now + jump.left + BLOCK * blocks
        if jump.ends_at <= self._now:
            self._leave()

    def _leave(self) -> None:
        """Play on from where the engine stands."""
        jump = self._jump
        assert jump is not None, "in a jump"
        jump.leave(self._inner)
        self._jump = self._seen = None
        self._offset = jump.shown_to - self._inner.now
        self._inner.advance(self._now - self._offset)  # what has come of a second is played
        for number, station in enumerate(self._plan.stations):
            if station.keeps_writes:
                log = self._inner.write_log(number)
                self._log_offsets.setdefault(number, [(0, 0.0)]).append((log.base + len(log.committed_s), self._offset))
        self._run, self._admitted, self._least_s = [], False, BLOCK
        if self._now == floor(self._now):
            self._keep_second()

    # -- changes --------------------------------------------------------------------------------------------------------

    def apply(self, change: Change) -> None:
        """Change the system at the present instant; a bad value raises ValueError and changes nothing. It ends a jump."""
        if isinstance(change, DropWrites):
            self._inner.apply(change)
            return
        if self._jump is not None:
            self._leave()
        self._inner.apply(self._rates.translated(change, self._now) if isinstance(change, SetFlow) else change)
        self._seen = None
        if isinstance(change, SetFlow):
            self._rates.note(change)
        self._regime.note(change)
        self._disturb()

    def watch(self, condition: Watch) -> int:
        """Let `advance` return early at the instant the condition holds; while anything is watched, all is played."""
        number = self._inner.watch(condition)
        self._watches.add(number)
        if self._jump is not None:
            self._leave()
        return number

    def unwatch(self, number: int) -> None:
        """Watch it no more; one that has fired or never was is no error."""
        self._watches.discard(number)
        self._inner.unwatch(number)

    def take_fired(self) -> list[int]:
        """Numbers of the watches that have fired since the last call; they are gone."""
        fired = self._inner.take_fired()
        self._watches -= set(fired)
        return fired

    # -- observation ----------------------------------------------------------------------------------------------------

    def observe(self) -> Observation:
        """Counts and gauges at the present instant, in a jump those of the last whole second."""
        if self._seen is not None and self._seen[0] == self._now:
            return self._seen[1]
        view = self._inner.observe()
        if self._jump is not None and self._jump.shown is not None:
            view = Shown(view, self._jump.shown)
        self._seen = self._now, view
        return view

    def instance_busy(self, station: int, instance: int) -> tuple[int, int]:
        """Busy slots and queued requests of one instance; in a jump, as it was when that began."""
        return self._inner.instance_busy(station, instance)

    def details(self) -> Details:
        """More about every station and edge, of what was played."""
        return self._inner.details()

    def write_log(self, station: int) -> WriteLog:
        """Writes of a database node that have not been dropped yet, of those that were played: of a jump it has none."""
        log = self._inner.write_log(station)
        pieces = self._log_offsets.get(station)
        if pieces is None:
            return log
        times = np.array(log.committed_s, dtype=np.float64)
        for (first, offset_s), (end, _) in pairwise([*pieces, (log.base + len(times), 0.0)]):
            times[max(0, first - log.base) : max(0, end - log.base)] += offset_s
        return WriteLog(log.base, times.tolist(), log.acknowledged)

    def take_notes(self) -> list[Note]:
        """Notes since the last call, in order of time."""
        notes = self._notes + [replace(note, t=note.t + self._offset) for note in self._inner.take_notes()]
        self._notes = []
        return notes

    def trace(self, flow: int, every: int) -> None:
        """From now on trace every so manyth request of a flow, by the count of those offered; 0 traces none."""
        self._inner.trace(flow, every)

    def take_marks(self) -> list[Mark]:
        """What has happened to traced requests since the last call. Of those under way when a jump began there is no more to hear."""
        marks = self._marks
        self._marks = []
        for mark in self._inner.take_marks():
            if mark.root > self._traces_over:
                self._last_trace = max(self._last_trace, mark.root)
                marks.append(mark._replace(t=mark.t + self._offset))
        return marks

    # -- going back -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Everything the future depends on, as of now, but for what `foresee` will say."""
        return Snapshot("quiet", self._plan, (self._inner.snapshot(), self._kept()))

    def restore(self, snapshot: Snapshot) -> None:
        """Go back (or on) to a snapshot of this engine or of another one of the same kind and plan; it can be restored again."""
        snapshot.check("quiet", self._plan)
        inner, kept = snapshot.state
        self._inner.restore(inner)
        kept = dict(kept)
        self._draws.bit_generator.state = kept.pop("_draws")
        self._rates.restore(kept.pop("_factors"))
        vars(self).update(kept)
        vars(self).update(self._own_copies())
        self._seen = None

    def _kept(self) -> dict[str, Any]:
        kept = {name: getattr(self, name) for name in _KEPT}
        return {**kept, **self._own_copies(), "_draws": self._draws.bit_generator.state, "_factors": self._rates.factors()}

    def _own_copies(self) -> dict[str, Any]:
        """What is changed in place; the run that was let into a library is that library's newest."""
        libraries = {key: library.copied() for key, library in self._libraries.items()}
        run = libraries[self._key].newest if self._admitted else list(self._run)
        jump = None if self._jump is None else self._jump.copied(self._draws)
        offsets = {station: list(pieces) for station, pieces in self._log_offsets.items()}
        lists = {"_notes": list(self._notes), "_marks": list(self._marks), "_watches": set(self._watches)}
        return {
            **lists,
            "played_s": self.played_s.copy(),
            "_libraries": libraries,
            "_run": run,
            "_jump": jump,
            "_log_offsets": offsets,
            "_regime": self._regime.copied(),
        }


_KEPT = (
    "jumped_s",
    "_now",
    "_offset",
    "_since",
    "_admitted",
    "_last_trace",
    "_traces_over",
    "_lead_s",
    "_key",
    "_kept_at",
    "_least_s",
)
