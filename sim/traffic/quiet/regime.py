"""How long a system remembers, and which of two instants are ruled by the same settings.

The rule that surprises: a setting that was changed and put back counts as never touched, so a system that has healed is the one it
was before the fault, and one with an added instance is another.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import fields, replace
from math import inf
from typing import Any

from sim.traffic.changes import AddInstance, Change, DropWrites, SetEdge, SetFlow, SetInstance, SetLink, SetRateLimit, SetStation
from sim.traffic.plan import CLIENT, EdgePlan, Plan

LEAST_MEMORY_S = 10.0
"""No system is taken to forget faster."""
RESIDENCES = 20.0
"""Mean residence times after which what was there at the beginning has left: the share of exponential stays that last longer is 2e-9."""


def memory_s(plan: Plan) -> float:
    """Longest time for which a request that is here now can still make itself felt, as its policies allow; infinite without a limit.

    Along every chain of calls the times add up that the callers wait (attempts x timeout, and the longest backoffs), for work whose caller
    has given up goes on; then the time an open breaker stays open and an ejected instance stays away.
    """
    known: dict[int, float] = {}

    def below(number: int, above: frozenset[int]) -> float:
        if number in known:
            return known[number]
        edge = plan.edges[number]
        further = [edge.fallback] if edge.fallback is not None else []
        further += [call for station, _ in edge.options if station not in above for call in plan.stations[station].calls]
        inside = above | {station for station, _ in edge.options}
        known[number] = _waits_s(edge) + max((below(call, inside) for call in further), default=0.0)
        return known[number]

    chains = (below(number, frozenset()) for number, edge in enumerate(plan.edges) if edge.caller == CLIENT)
    breakers = (edge.breaker.open_s for edge in plan.edges if edge.breaker is not None)
    ejections = (station.outlier.base_s for station in plan.stations if station.outlier is not None)
    return max(LEAST_MEMORY_S, *chains, *breakers, *ejections)


def _waits_s(edge: EdgePlan) -> float:
    retry = edge.retry
    backoffs_s = sum(min(retry.backoff_cap_s, retry.backoff_s * 2.0**number) for number in range(retry.retries))
    pool_s = edge.pool.wait_s if edge.pool is not None else 0.0
    return (1 + retry.retries) * (edge.timeout_s + pool_s) + backoffs_s


class Regime:
    """The settings in force, as the changes have made them."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._changed: dict[tuple[Any, ...], Any] = {}
        self._added = 0

    def note(self, change: Change) -> bool:
        """Take a change down; whether it can move anything at all."""
        if isinstance(change, DropWrites):
            return False
        if isinstance(change, AddInstance):
            self._added += 1
            self._changed["added", self._added] = change
            return True
        values = {each.name: getattr(change, each.name) for each in fields(change)}
        subject = tuple(values.pop(name) for name in _SUBJECTS[type(change)])
        initial = self._initially(change)
        for name, value in values.items():
            if value is None and not isinstance(change, SetRateLimit):
                continue
            key = (type(change).__name__, *subject, name)
            if initial.get(name) == value:
                self._changed.pop(key, None)
            else:
                self._changed[key] = value
        return True

    def key(self) -> frozenset[Any]:
        """Equal for two instants with the same settings."""
        return frozenset(self._changed.items())

    def copied(self) -> Regime:
        """One that goes its own way from here."""
        other = Regime(self._plan)
        other._changed, other._added = dict(self._changed), self._added
        return other

    def _initially(self, change: Change) -> dict[str, Any]:
        """The values of the plan; nothing for an instance that was added."""
        if isinstance(change, SetInstance):
            instances = self._plan.stations[change.station].instances
            slots = {"slots": instances[change.instance].slots} if change.instance < len(instances) else {}
            return {**_OF_AN_INSTANCE, **slots}
        if isinstance(change, SetStation):
            station = self._plan.stations[change.station]
            return {**_OF_A_STATION, **{name: getattr(station, name) for name in ("error_ratio", "read_only", "admit")}}
        if isinstance(change, SetEdge):
            return {"options": self._plan.edges[change.edge].options, "enabled": True, "dns_failed_ratio": 0.0, "cut": False}
        if isinstance(change, SetLink):
            return {"extra_s": 0.0, "loss_ratio": 0.0, "cut": False}
        return {"rate_factor": 1.0, "rate": None, "burst": 1.0}


_SUBJECTS: dict[type, tuple[str, ...]] = {
    SetInstance: ("station", "instance"),
    SetStation: ("station",),
    SetLink: ("source", "target"),
    SetEdge: ("edge",),
    SetFlow: ("flow",),
    SetRateLimit: ("request_class",),
}
_OF_AN_INSTANCE = {"up": True, "frozen": False, "in_rotation": True, "slowdown": 1.0, "error_ratio": 0.0, "drained": False}
_OF_A_STATION = {"slowdown": 1.0, "stale": False, "commit_delay_s": 0.0, "commit_blocked": False}


class Rates:
    """The arrival rates of a plan over time, kept outside the engine, whose own clock stands still in a jump.

    The engine is given a rate of 1 for every flow whose rate changes, and the rate of the moment as the factor: the same product, so the
    same arrivals to the bit.
    """

    def __init__(self, plan: Plan) -> None:
        self._tables = {number: flow.rate for number, flow in enumerate(plan.flows) if len(flow.rate) > 1 and flow.burst is None}
        self._factors = dict.fromkeys(range(len(plan.flows)), 1.0)
        self._known = [flow.rate[0][1] if len(flow.rate) == 1 else None for flow in plan.flows]
        self._starts = sorted({start_s for table in self._tables.values() for start_s, _ in table[1:]})

    def flattened(self, plan: Plan) -> Plan:
        """The plan as the engine is to be given it."""
        flows = (replace(flow, rate=((0.0, 1.0),)) if number in self._tables else flow for number, flow in enumerate(plan.flows))
        return replace(plan, flows=tuple(flows))

    def next_change(self, now: float) -> float:
        """When a rate changes next, later than now; infinite if none does."""
        position = bisect_right(self._starts, now)
        return self._starts[position] if position < len(self._starts) else inf

    def of(self, flow: int, now: float) -> float | None:
        """Requests a second of an open flow now, its factor included; None of a closed one."""
        table = self._tables.get(flow)
        if table is not None:
            return _rate_in(table, now) * self._factors[flow]
        known = self._known[flow]
        return None if known is None else known * self._factors[flow]

    def settings(self, now: float) -> list[SetFlow]:
        """What the engine is to be told now."""
        return [SetFlow(flow, self.of(flow, now) or 0.0) for flow in self._tables]

    def translated(self, change: SetFlow, now: float) -> SetFlow:
        """A change of a factor as the engine is to be told it."""
        table = self._tables.get(change.flow)
        return change if table is None else SetFlow(change.flow, _rate_in(table, now) * change.rate_factor)

    def note(self, change: SetFlow) -> None:
        """The engine has been told."""
        self._factors[change.flow] = change.rate_factor

    def key(self, now: float) -> tuple[float | None, ...]:
        """Equal for two instants with the same rates."""
        return tuple(self.of(flow, now) for flow in range(len(self._known)))

    def factors(self) -> dict[int, float]:
        """A copy, to be given to `restore`."""
        return dict(self._factors)

    def restore(self, factors: dict[int, float]) -> None:
        """Go back to these."""
        self._factors = dict(factors)


def _rate_in(table: tuple[tuple[float, float], ...], now: float) -> float:
    return table[bisect_right(table, (now, inf)) - 1][1]
