"""Which requests of a day are traced, and which traces are kept: few of each kind, the slowest, and some of everything that was lost.

The rule that surprises: how densely a flow is traced follows what happens to it. All day a thin sample is taken; while requests are lost
to a reason of which there are few examples, so many are traced that the next loss is probably among them. Nothing is drawn for this,
and nothing that happens depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gameday.traces import OK as GOOD
from gameday.traces import Attempt, Trace
from sim.traffic import Observation
from sim.traffic.core import OK
from sim.traffic.marks import ENTERED, FAILED, LEFT, OVER, SENT, SETTLED, STARTED, Mark
from sim.traffic.plan import Reason

if TYPE_CHECKING:
    from sim.world import World

KEPT = 5
"""Traces kept of each kind: first good ones, slowest good ones, and lost ones by reason; all per flow."""
SAMPLED = 2000
"""Requests traced in a whole day, about, besides those that are looked at in search of a lost one."""
SOUGHT = 4000
"""Requests traced in search of lost ones, at most; and SOUGHT_A_SECOND of one flow."""
SOUGHT_A_SECOND = 200


@dataclass(slots=True)
class _Open:
    """A request under way."""

    flow: int
    began: float
    attempts: list[Attempt] = field(default_factory=list)
    positions: dict[int, int] = field(default_factory=dict)


class Tracer:
    """Traces requests of one day. Told the time every second."""

    def __init__(self, world: World) -> None:
        self._world = world
        flows = world.wiring.plan.flows
        self._names = {flow: key for key, flow in world.wiring.flows.items()}
        self._open: dict[int, _Open] = {}
        self._first: list[list[Trace]] = [[] for _ in flows]
        self._slowest: list[list[Trace]] = [[] for _ in flows]
        self._lost: list[dict[str, list[Trace]]] = [{} for _ in flows]
        self._before = [(0, [0] * len(Reason)) for _ in flows]
        self._left_to_seek = SOUGHT

    def every_second(self, seen: Observation) -> None:
        """Take in what was marked, and settle how densely each flow is traced in the second to come."""
        self._take()
        share = SAMPLED / max(1.0, self._world.scenario.duration) / max(1, len(self._before))
        for flow, (offered_before, lost_before) in enumerate(self._before):
            came = seen.offered[flow] - offered_before
            wanted = max(share, self._to_seek(flow, came, lost_before, seen.lost[flow]))
            self._world.engine.trace(flow, max(1, int(came / wanted)) if came else 1)
            self._before[flow] = (seen.offered[flow], list(seen.lost[flow]))

    def _to_seek(self, flow: int, came: int, before: list[int], after: list[int]) -> float:
        """How many requests to trace in a second so that three lost to each reason that is short of examples are probably met."""
        wanted = 0.0
        for reason, (old, new) in enumerate(zip(before, after, strict=True)):
            if new > old and len(self._lost[flow].get(Reason(reason).name, ())) < KEPT:
                wanted = max(wanted, 3.0 * came / (new - old))
        wanted = min(wanted, SOUGHT_A_SECOND, self._left_to_seek)
        self._left_to_seek -= int(wanted)
        return wanted

    def traces(self) -> tuple[Trace, ...]:
        """What was kept, in order of time."""
        self._take()
        kept = {id(each): each for rows in (*self._first, *self._slowest) for each in rows}
        kept |= {id(each): each for reasons in self._lost for rows in reasons.values() for each in rows}
        return tuple(sorted(kept.values(), key=lambda trace: (trace.began, trace.request_class, trace.origin)))

    def _take(self) -> None:
        for mark in self._world.engine.take_marks():
            if mark.kind == ENTERED:
                self._open[mark.root] = _Open(mark.edge, mark.t)
            elif mark.root in self._open:  # else it has its fate, and work goes on for nobody
                self._note(self._open[mark.root], mark)

    def _note(self, request: _Open, mark: Mark) -> None:
        if mark.kind == OVER:
            del self._open[mark.root]
            self._keep(request, mark)
        elif mark.kind == SENT:
            request.positions[mark.sequence] = len(request.attempts)
            request.attempts.append(self._sent(request, mark))
        elif (
            mark.kind == FAILED and mark.sequence not in request.positions
        ):  # refused before it was sent, or in vain waiting for a connection
            request.attempts.append(self._refused(request, mark))
        else:
            position = request.positions[mark.sequence]
            request.attempts[position] = _told(request.attempts[position], mark)

    def _sent(self, request: _Open, mark: Mark) -> Attempt:
        plan, unit = self._world.wiring.plan, self._world.units[mark.station][mark.instance]
        service = plan.stations[mark.station].name
        return Attempt(mark.number, request.positions.get(mark.parent), plan.edges[mark.edge].name, service, unit.name, mark.t)

    def _refused(self, request: _Open, mark: Mark) -> Attempt:
        edge, reason = self._world.wiring.plan.edges[mark.edge].name, Reason(mark.outcome).name
        parent = request.positions.get(mark.parent)
        return Attempt(mark.number, parent, edge, "", "", mark.t, settled=mark.t, outcome=reason)

    def _keep(self, request: _Open, mark: Mark) -> None:
        flow, (name, origin) = request.flow, self._names[request.flow]
        outcome = GOOD if mark.outcome == OK else Reason(mark.outcome).name
        trace = Trace(name, origin, request.began, mark.t, outcome, tuple(request.attempts))
        if outcome != GOOD:
            same = self._lost[flow].setdefault(outcome, [])
            if len(same) < KEPT:
                same.append(trace)
            return
        if len(self._first[flow]) < KEPT:
            self._first[flow].append(trace)
        slowest = self._slowest[flow]
        slowest.append(trace)
        slowest.sort(key=lambda each: -each.latency_s)
        del slowest[KEPT:]


def _told(old: Attempt, mark: Mark) -> Attempt:
    """An attempt of which more is known."""
    fields = {name: getattr(old, name) for name in Attempt.__slots__}
    if mark.kind == STARTED:
        fields["started"] = mark.t
    elif mark.kind == LEFT:
        fields["left"] = mark.t
    else:
        assert mark.kind in (SETTLED, FAILED), "an attempt is sent once"
        fields |= {"settled": mark.t, "outcome": GOOD if mark.kind == SETTLED else Reason(mark.outcome).name}
    return Attempt(**fields)
