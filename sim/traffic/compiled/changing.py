"""What the control plane may do to a compiled engine: the twin of `sim.traffic.changing`, in the same order.

The rule that surprises: most changes only set numbers, in Python; what has consequences at once (the dead fail, the held go on, a queue
moves up) is put on an agenda, and the kernel works it off before `apply` returns.
"""

from __future__ import annotations

from sim.traffic.changes import AddInstance, Change, DropWrites, SetEdge, SetFlow, SetInstance, SetLink, SetRateLimit, SetStation
from sim.traffic.compiled import layout as at
from sim.traffic.compiled.building import add_instance, refresh_instance, refresh_path, refresh_station
from sim.traffic.compiled.edging import refresh_edge, set_options
from sim.traffic.compiled.records import Records
from sim.traffic.compiled.stepping import COMPLETE, FILL, FREEZE, KILL, ROTATE, SET_FACTOR, THINK, WORK_OFF
from sim.traffic.compiled.tables import Tables
from sim.traffic.network import set_link


class Changing:
    """Applies changes at the present instant."""

    def __init__(self, tables: Tables, records: Records) -> None:
        self._tables = tables
        self._records = records
        self._arena = tables.arena

    def provide(self) -> None:
        """Make room and draws where the kernel has run short."""
        word = self._arena.word
        why = word[at.H_STOP]
        if why & at.STOP_FOR_DRAWS:
            self._tables.draws.refill()
        if why & at.STOP_FOR_ROOM:
            self._records.collect()
            self._arena.provide()
        self._arena.word[at.H_STOP] = 0

    def change(self, change: Change) -> None:  # noqa: C901 (a case per kind)
        """Apply a change that has been checked."""
        tables, arena = self._tables, self._arena
        match change:
            case SetInstance():
                self._set_instance(change)
            case AddInstance():
                add_instance(tables, change.station, change.instance)
                refresh_station(tables, change.station)
            case SetStation():
                self._set_station(change)
            case SetLink():
                set_link(tables.paths, change)
                refresh_path(tables, change.source, change.target)
                refresh_path(tables, change.target, change.source)
            case SetEdge():
                record = tables.edge(change.edge)
                if change.enabled is not None:
                    arena.word[record + at.E_ENABLED] = change.enabled
                if change.cut is not None:
                    arena.word[record + at.E_CUT] = change.cut
                if change.dns_failed_ratio is not None:
                    arena.real[record + at.E_DNS_FAILED] = change.dns_failed_ratio
                if change.options is not None:
                    set_options(tables, change.edge, change.options)
                refresh_edge(tables, change.edge)
            case SetFlow():
                self._set_flow(change)
            case SetRateLimit():
                self._set_rate_limit(change)
            case DropWrites():
                self._drop_writes(change)

    def work_off(self) -> None:
        """Let the kernel do what is on the agenda."""
        while self._arena.ask(WORK_OFF) != COMPLETE:
            self.provide()

    # Instances

    def _set_instance(self, change: SetInstance) -> None:
        tables, arena = self._tables, self._arena
        word, real = arena.word, arena.real
        instance = tables.instances[change.station][change.instance]
        if change.in_rotation is not None and change.in_rotation != bool(word[instance + at.I_IN_ROTATION]):
            word[instance + at.I_IN_ROTATION] = change.in_rotation
            refresh_station(tables, change.station)
            word, real = arena.word, arena.real
        if change.drained is not None and change.drained != bool(word[instance + at.I_DRAINED]):
            word[instance + at.I_DRAINED] = change.drained
            arena.ask(ROTATE, tables.station(change.station))
        if change.slots is not None:
            word[instance + at.I_SLOTS] = change.slots
        if change.slowdown is not None:
            real[instance + at.I_SLOWDOWN] = change.slowdown
        if change.error_ratio is not None:
            real[instance + at.I_ERROR_RATIO] = change.error_ratio
        if change.up is True:
            word[instance + at.I_UP] = 1
        refresh_instance(tables, change.station, instance)
        if change.up is False and arena.word[instance + at.I_UP]:
            arena.ask(KILL, instance)
            self.work_off()
        frozen = bool(arena.word[instance + at.I_FROZEN])
        if arena.word[instance + at.I_UP] and change.frozen is True and not frozen:
            arena.ask(FREEZE, instance)
        elif change.frozen is False and frozen:
            self._thaw(change.station, instance)
        arena.word[at.H_OPERATION] = FILL
        arena.word[at.H_ATTEMPT] = instance
        self.work_off()

    def _thaw(self, station: int, instance: int) -> None:
        self._arena.word[instance + at.I_FROZEN] = 0
        refresh_instance(self._tables, station, instance)
        self._recall(self._running(instance), at.FOR_THAW)
        word = self._arena.word
        word[at.H_AGENDA_MAIL], word[instance + at.I_MAIL] = word[instance + at.I_MAIL], 0
        self.work_off()

    def _running(self, instance: int) -> list[int]:
        """What an instance works on, in order of start."""
        word = self._arena.word
        attempt, found = word[instance + at.I_FIRST], []
        while attempt != instance + at.I_FIRST - at.A_NEXT:
            found.append(attempt)
            attempt = word[attempt + at.A_NEXT]
        return found

    def _recall(self, attempts: list[int], kind: int) -> None:
        """Put visits that may go on now on the agenda."""
        first = place = self._arena.scratch(2 * len(attempts))
        word = self._arena.word
        for attempt in attempts:
            word[place], word[place + 1] = attempt, word[attempt + at.A_SEQUENCE]
            place += 2
        word[at.H_SCRATCH_AT], word[at.H_SCRATCH_END], word[at.H_AGENDA_KIND] = first, place, kind

    # Stations

    def _set_station(self, change: SetStation) -> None:
        tables = self._tables
        word, real = self._arena.word, self._arena.real
        record = tables.station(change.station)
        if change.slowdown is not None:
            tables.slowdown[change.station] = change.slowdown
        if change.error_ratio is not None:
            tables.error_ratio[change.station] = change.error_ratio
        if change.commit_delay_s is not None:
            real[record + at.S_COMMIT_DELAY] = change.commit_delay_s
        for field, flag in (
            (at.S_READ_ONLY, change.read_only),
            (at.S_STALE, change.stale),
            (at.S_COMMIT_BLOCKED, change.commit_blocked),
        ):
            if flag is not None:
                word[record + field] = flag
        for priority, share in enumerate(change.admit or ()):
            real[record + at.S_ADMIT + priority] = share
        refresh_station(tables, change.station)
        if change.commit_blocked is False:
            held = [attempt for instance in tables.instances[change.station] for attempt in self._running(instance)]
            word = self._arena.word
            self._recall([attempt for attempt in held if word[attempt + at.A_STAGE] == at.PARKED], at.FOR_COMMITS)
            self.work_off()

    def _drop_writes(self, change: DropWrites) -> None:
        words, word = self._arena.words, self._arena.word
        record = self._tables.station(change.station)
        base, held = word[record + at.S_LOG_BASE], word[record + at.S_LOG_COUNT]
        count = min(max(0, change.upto - base), held)
        for field in (at.S_LOG, at.S_LOG_FLAGS):
            log = word[record + field]
            words[log : log + held - count] = words[log + count : log + held].copy()
        word[record + at.S_LOG_COUNT] = held - count
        word[record + at.S_LOG_BASE] = base + count

    # Flows, limits

    def _set_flow(self, change: SetFlow) -> None:
        flow, real = self._tables.flows[change.flow], self._arena.real
        if not self._arena.word[flow + at.F_USER_COUNT]:
            self._arena.ask(SET_FACTOR, flow, value=change.rate_factor)
            return
        old, real[flow + at.F_FACTOR] = real[flow + at.F_FACTOR], change.rate_factor
        self.think(flow, old)

    def think(self, flow: int, old_factor: float) -> None:
        """Let the people of a flow think on, or (`old_factor` negative) begin to."""
        turn = 0
        while turn < self._arena.word[flow + at.F_USER_COUNT]:
            turn = self._arena.ask(THINK, flow, turn, old_factor)
            self.provide()

    def _set_rate_limit(self, change: SetRateLimit) -> None:
        word, real = self._arena.word, self._arena.real
        bucket = self._tables.buckets + change.request_class * at.TOKEN_BUCKET_WORDS
        if change.rate is None:
            word[bucket + at.B_ACTIVE] = 0
            return
        now = real[at.H_NOW]
        tokens = float(change.burst)
        if word[bucket + at.B_ACTIVE]:
            rate, burst = real[bucket + at.B_RATE], real[bucket + at.B_BURST]
            tokens = min(burst, real[bucket + at.B_TOKENS] + (now - real[bucket + at.B_AT]) * rate, change.burst)
        word[bucket + at.B_ACTIVE] = 1
        real[bucket + at.B_RATE], real[bucket + at.B_BURST] = change.rate, change.burst
        real[bucket + at.B_TOKENS], real[bucket + at.B_AT] = tokens, now
