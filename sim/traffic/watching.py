"""Conditions an engine looks at by itself, so that nobody has to poll: `advance` returns early at the instant one of them holds.

The rules that surprise: a condition is looked at when an instant is over, never between two events of one; it may hold already when it
is set, and then the next `advance` returns at once. A watch fires once and is gone; set it again to be told again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from math import inf
from typing import TYPE_CHECKING, Literal

from sim.traffic.plan import Plan

if TYPE_CHECKING:
    from sim.traffic.clients import Flow
    from sim.traffic.edges import Edge
    from sim.traffic.state import Station

ALL = -1
"""All flows together."""

WATCHED = ("busy", "queued", "utilisation", "held", "in_flight", "lost", "breaker_open")


class Stop(IntEnum):
    """Why `advance` returned."""

    UNTIL = 0  # the time was up
    WATCH = 1  # a watched condition holds; `now` is when it came to that


@dataclass(frozen=True, slots=True)
class Watch:
    """A number that an engine watches, and the bound at which it speaks up: exactly one of `at_least` and `at_most`.

    Of a station (`subject`): `busy` slots, `queued` requests, `utilisation` = busy slots / slots of instances that are up (1 without any);
    `held`: requests in one `instance` of it. Of a flow: requests `in_flight`, `lost` so far (ALL: of all flows). Of an edge:
    `breaker_open`, 1 while it is not closed. `lasting_s`: it must hold for so long without a break.
    """

    what: Literal["busy", "queued", "utilisation", "held", "in_flight", "lost", "breaker_open"]
    subject: int
    at_least: float | None = None
    at_most: float | None = None
    lasting_s: float = 0.0
    instance: int = 0

    def check(self, plan: Plan, instances: list[int]) -> None:
        """Raise ValueError with all that is wrong with it; `instances` counts those of every station."""
        problems = []
        if (self.at_least is None) == (self.at_most is None):
            problems.append("exactly one of at_least and at_most")
        if not 0.0 <= self.lasting_s < inf:
            problems.append(f"lasting_s={self.lasting_s} is no time")
        kind = {"in_flight": "flow", "lost": "flow", "breaker_open": "edge"}.get(self.what, "station")
        count = len({"flow": plan.flows, "edge": plan.edges, "station": plan.stations}[kind])
        if self.what not in WATCHED:
            problems.append(f"what={self.what!r} is none of {', '.join(WATCHED)}")
        elif not (0 <= self.subject < count or (self.what == "lost" and self.subject == ALL)):
            problems.append(f"subject={self.subject}, but there are {count} {kind}s")
        elif self.what == "held" and not 0 <= self.instance < instances[self.subject]:
            problems.append(f"instance={self.instance}, but there are {instances[self.subject]}")
        if problems:
            raise ValueError("Watch: " + "; ".join(problems))


class Watching:
    """The watches of the plain engine."""

    __slots__ = ("fired", "set", "since")

    def __init__(self) -> None:
        self.set: dict[int, Watch] = {}
        self.since: dict[int, float] = {}  # since when those that hold have held
        self.fired: list[int] = []

    def due(self, now: float, soon: float, stations: list[Station], edges: list[Edge], flows: list[Flow]) -> float | None:
        """When the first of the watches speaks up, if that is no later than `soon`; those of that instant have fired then."""
        first_s = inf
        for number, watch in self.set.items():
            value = _value(watch, stations, edges, flows)
            if value >= watch.at_least if watch.at_least is not None else value <= (watch.at_most or 0.0):
                first_s = min(first_s, self.since.setdefault(number, now) + watch.lasting_s)
            else:
                self.since.pop(number, None)
        if first_s > soon:
            return None
        fired = [number for number, since in self.since.items() if since + self.set[number].lasting_s <= first_s]
        for number in sorted(fired):
            self.fired.append(number)
            self.drop(number)
        return max(now, first_s)

    def drop(self, number: int) -> None:
        """Watch it no more."""
        self.set.pop(number, None)
        self.since.pop(number, None)


def _value(watch: Watch, stations: list[Station], edges: list[Edge], flows: list[Flow]) -> float:
    """What is watched, now."""
    if watch.what == "breaker_open":
        breaker = edges[watch.subject].breaker
        return float(breaker is not None and breaker.state != 0)
    if watch.what == "lost":
        return sum(sum(flow.lost) for flow in (flows if watch.subject == ALL else [flows[watch.subject]]))
    if watch.what == "in_flight":
        flow = flows[watch.subject]
        return flow.offered - flow.good - sum(flow.lost)
    instances = stations[watch.subject].instances
    if watch.what == "held":
        return len(instances[watch.instance].running) + instances[watch.instance].queued
    if watch.what == "queued":
        return sum(instance.queued for instance in instances)
    busy = sum(len(instance.running) for instance in instances)
    if watch.what == "busy":
        return busy
    slots = sum(instance.slots for instance in instances if instance.up)
    return busy / slots if slots else 1.0
