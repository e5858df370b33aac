"""The same workloads in idiomatic SimPy: a process per request and per attempt, a Resource per station.

It plays any plan made of single-instance stations with exponential service, parallel or single calls, timeouts, retries,
breakers and priority admission; it knows nothing of the engine but the plan. The rule that surprises: a timed-out attempt's
process goes on, because nobody interrupts it. That is the behaviour to compare.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import simpy

from benchmarks.workloads import NEVER_S, Workload
from sim.traffic.changes import SetInstance
from sim.traffic.plan import EdgePlan, Plan, StationPlan

Process = Generator[simpy.Event, Any, Any]


@dataclass
class Totals:
    """What a run yields: requests offered and answered, the sum of their latencies, attempts made."""

    offered: int = 0
    good: int = 0
    lost: int = 0
    latency_s: float = 0.0
    attempts: int = 0


class Breaker:
    """Closed, open after consecutive failures, half open for trials; outcomes from before a change of state do not count."""

    def __init__(self, env: simpy.Environment, edge: EdgePlan) -> None:
        assert edge.breaker is not None
        self.env, self.plan = env, edge.breaker
        self.state, self.failures, self.epoch, self.trying, self.until = "closed", 0, 0, 0, 0.0

    def lets_through(self) -> bool:
        if self.state == "open":
            if self.env.now < self.until:
                return False
            self.state, self.epoch, self.trying = "half open", self.epoch + 1, 0
        if self.state == "half open":
            if self.trying >= self.plan.trials:
                return False
            self.trying += 1
        return True

    def record(self, ok: bool, epoch: int) -> None:
        if epoch != self.epoch:
            return
        if ok:
            self.failures = 0
            if self.state != "closed":
                self.state, self.epoch = "closed", self.epoch + 1
            return
        self.failures += 1
        if self.state == "half open" or self.failures >= self.plan.failures:
            self.state, self.epoch, self.failures = "open", self.epoch + 1, 0
            self.until = self.env.now + self.plan.open_s


@dataclass
class Join:
    """Waits for parallel calls: succeeds with True when all are answered, with False at the first failure."""

    event: simpy.Event
    pending: int

    def report(self, ok: bool) -> None:
        self.pending -= 1
        if not self.event.triggered and (not ok or not self.pending):
            self.event.succeed(ok)


@dataclass
class Server:
    """A station: its slots, how slow it is, and whom it lets into its queue."""

    plan: StationPlan
    slots: simpy.Resource
    slowdown: float = 1.0
    edges: list[tuple[int, EdgePlan]] = field(default_factory=list)


class System:
    """A plan brought to life."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self.plan = plan
        self.random = Random(seed)
        self.env = simpy.Environment()
        self.totals = Totals()
        self.breakers = [Breaker(self.env, edge) if edge.breaker else None for edge in plan.edges]
        self.servers = [Server(item, simpy.Resource(self.env, item.instances[0].slots)) for item in plan.stations]
        for server in self.servers:
            server.edges = [(number, plan.edges[number]) for number in server.plan.calls]
        for flow in plan.flows:
            self.env.process(self.arrivals(flow.rate[0][1], flow.entry, plan.classes[flow.request_class].priority))

    def arrivals(self, rate: float, entry: int, priority: int) -> Process:
        while True:
            yield self.env.timeout(self.random.expovariate(rate))
            self.totals.offered += 1
            self.env.process(self.request(entry, priority))

    def request(self, entry: int, priority: int) -> Process:
        born = self.env.now
        if (yield from self.call(entry, priority)):
            self.totals.good += 1
            self.totals.latency_s += self.env.now - born
        else:
            self.totals.lost += 1

    def child(self, number: int, priority: int, join: Join) -> Process:
        join.report((yield from self.call(number, priority)))

    def call(self, number: int, priority: int) -> Process:
        """A logical call: attempts until one succeeds or retries run out. Returns whether it succeeded."""
        edge, breaker, env = self.plan.edges[number], self.breakers[number], self.env
        for attempt in range(edge.retry.retries + 1):
            if attempt:
                longest_s = min(edge.retry.backoff_cap_s, edge.retry.backoff_s * 2.0 ** (attempt - 1))
                yield env.timeout(self.random.uniform(0.0, longest_s))
            if breaker is not None and not breaker.lets_through():
                continue
            epoch = breaker.epoch if breaker is not None else 0
            self.totals.attempts += 1
            visit = self.visit(self.servers[edge.options[0][0]], priority)
            if edge.timeout_s >= NEVER_S:  # no timer, and so no process of its own either
                ok = yield from visit
            else:
                work = env.process(visit)
                yield work | env.timeout(edge.timeout_s)
                ok = bool(work.processed and work.value)
            if breaker is not None:
                breaker.record(ok, epoch)
            if ok:
                return True
        return False

    def visit(self, server: Server, priority: int) -> Process:
        """One attempt at its station: admission, a slot, own work, then the calls while the slot is held."""
        slots, limit = server.slots, server.plan.instances[0].queue_limit
        waiting = len(slots.queue)
        if slots.count >= slots.capacity and (waiting >= limit or waiting >= limit * server.plan.admit[priority]):
            return False
        with slots.request() as slot:
            yield slot
            yield self.env.timeout(self.random.expovariate(1.0 / server.plan.service_time.mean_s) * server.slowdown)
            chosen = [n for n, edge in server.edges if edge.calls_mean >= 1.0 or self.random.random() < edge.calls_mean]
            if len(chosen) == 1:
                return (yield from self.call(chosen[0], priority))
            if chosen:
                join = Join(self.env.event(), len(chosen))
                for number in chosen:
                    self.env.process(self.child(number, priority, join))
                return (yield join.event)
            return True

    def change(self, at: float, change: SetInstance) -> Process:
        yield self.env.timeout(at)
        server = self.servers[change.station]
        if change.slowdown is not None:
            server.slowdown = change.slowdown
        if change.slots is not None:
            # SimPy has no way to resize a Resource; this is the one private attribute its users reach for.
            server.slots._capacity = change.slots
            server.slots._trigger_put(None)


def play(workload: Workload, seed: int) -> Totals:
    """Play a workload to its end and return the totals."""
    system = System(workload.plan, seed)
    for at, change in workload.changes:
        assert isinstance(change, SetInstance)
        system.env.process(system.change(at, change))
    system.env.run(until=workload.until_s)
    return system.totals
