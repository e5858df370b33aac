"""The mutable record of an edge: where its calls go, its policies, its random numbers and what was counted.

The rule that surprises: each kind of decision (how many calls, which option, how long to back off, loss, DNS) has its own
stream, so a fault that loses packets does not change which branch the next request takes.
"""

from __future__ import annotations

from sim.streams import Streams
from sim.traffic.breaker import Breaker
from sim.traffic.keys import Keys
from sim.traffic.plan import CLIENT, EdgePlan, Reason
from sim.traffic.state import Station, Timers
from sim.traffic.times import LazyDraws

CALL, READ, WRITE = 0, 1, 2
_CANCELS = ("none", "queued", "running")
_OPERATION = {"call": CALL, "read": READ, "write": WRITE}


class Target:
    """One option of an edge: the station and where the edge's round robin over its instances stands (`turns`: zone by zone)."""

    __slots__ = ("station", "turn", "turns")

    def __init__(self, station: Station) -> None:
        self.station = station
        self.turn = 0
        self.turns: dict[int, int] = {}


class Edge:
    """A dependency: where its calls go, its policies, and what was counted. Each kind of decision has its own stream."""

    __slots__ = (
        "asynchronous",
        "attempts",
        "backoff_draws",
        "balance_draws",
        "branch_draws",
        "breaker",
        "budget",
        "cache",
        "cancel",
        "cancelled",
        "coins",
        "cut",
        "dns_draws",
        "dns_failed_ratio",
        "earns",
        "enabled",
        "failures",
        "fallback",
        "fraction",
        "guarded",
        "hedge_s",
        "hedges",
        "hits",
        "index",
        "joined",
        "keys",
        "loss_draws",
        "misses",
        "operation",
        "option_draws",
        "plan",
        "rare",
        "required",
        "retries",
        "retry",
        "single",
        "skipped",
        "targets",
        "timeout_s",
        "timers",
        "unsent_by",
        "waiting",
        "weights",
        "whole",
        "withdraws",
    )

    def __init__(self, plan: EdgePlan, stations: list[Station], index: int, streams: Streams, timers: Timers) -> None:
        self.plan = plan
        self.timeout_s = plan.timeout_s
        self.timers = timers
        self.waiting = timers.waiting
        self.required = plan.required
        self.asynchronous = plan.asynchronous
        self.cancel = _CANCELS.index(plan.cancel)  # RUNNING (2) includes what is queued
        self.hedge_s = plan.hedge_s
        self.look_at_the_rare()
        self.operation = _OPERATION[plan.operation]
        self.index = index
        self.cache = plan.cache
        self.keys = Keys(plan.cache, streams, f"edge-key/{plan.name}") if plan.cache is not None else None
        self.hits = self.misses = self.joined = 0
        self.whole = int(plan.calls_mean)
        self.fraction = plan.calls_mean - self.whole
        self.breaker = Breaker(plan.breaker, index) if plan.breaker is not None else None
        self.retry = plan.retry
        self.budget = plan.retry.budget_burst
        self.earns = plan.retry.budget_ratio
        self.fallback: Edge | None = None
        self.enabled = True
        self.cut = False
        self.dns_failed_ratio = 0.0
        self.branch_draws = LazyDraws(streams, f"edge/{plan.name}")
        self.coins: list[float] = []  # the next numbers of that stream
        self.option_draws = LazyDraws(streams, f"edge-option/{plan.name}")
        self.backoff_draws = LazyDraws(streams, f"edge-backoff/{plan.name}")
        self.balance_draws = LazyDraws(streams, f"edge-balance/{plan.name}")
        self.loss_draws = LazyDraws(streams, f"edge-loss/{plan.name}")
        self.dns_draws = LazyDraws(streams, f"edge-dns/{plan.name}")
        self.guarded = plan.bulkhead is not None or plan.pool is not None
        self.attempts = self.failures = self.retries = self.skipped = self.cancelled = self.hedges = 0
        self.unsent_by = [0] * len(Reason)
        self.targets: list[Target] = []
        self.weights: list[float] = []
        self.single: Target | None = None
        self.set_options(plan.options, stations)

    def replace_by(self, fallback: Edge) -> None:
        """Make another edge the fallback: it stands for this one, so it is as required and as asynchronous as this one."""
        self.fallback = fallback
        fallback.required = self.required
        fallback.asynchronous = self.asynchronous
        fallback.look_at_the_rare()

    def look_at_the_rare(self) -> None:
        """Whether its calls can be given up by their visit, and whether it has any policy that few edges have."""
        plan = self.plan
        self.withdraws = plan.cancel == "running" and not self.asynchronous and plan.caller != CLIENT
        self.rare = plan.hedge_s is not None or self.withdraws or plan.bulkhead is not None or plan.pool is not None

    def set_options(self, options: tuple[tuple[int, float], ...], stations: list[Station]) -> None:
        """Replace the options; a target that stays keeps its place in the round robin."""
        known = {id(target.station): target for target in self.targets}
        self.targets, self.weights = [], []
        for station, weight in options:
            if weight > 0.0:
                record = stations[station]
                self.targets.append(known.get(id(record)) or Target(record))
                self.weights.append(weight)
        self.refresh()

    def refresh(self) -> None:
        """Recompute the shortcut for the common case: one option, and its name resolves."""
        self.single = self.targets[0] if len(self.targets) == 1 and self.dns_failed_ratio <= 0.0 else None

    def choose(self) -> Target | Reason:
        """The target of one attempt, or why there is none. A draw for DNS only if it fails at times, for the weight only if there are several."""
        if self.dns_failed_ratio > 0.0 and self.dns_draws.uniform() < self.dns_failed_ratio:
            return Reason.DNS
        if not self.targets:
            return Reason.NO_ROUTE
        if len(self.targets) == 1:
            return self.targets[0]
        left = self.option_draws.uniform() * sum(self.weights)
        for target, weight in zip(self.targets, self.weights, strict=True):
            left -= weight
            if left < 0.0:
                return target
        return self.targets[-1]
