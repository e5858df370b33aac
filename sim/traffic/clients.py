"""The mutable records of the clients: flows of requests and, in closed flows, the people behind them.

The rule that surprises: a person counts as thinking from the moment a request got its fate, whatever fate that was.
"""

from __future__ import annotations

from sim.streams import Streams
from sim.traffic import BUCKETS
from sim.traffic.bucket import TokenBucket
from sim.traffic.bursts import begins_in_burst, stream_of
from sim.traffic.edges import Edge
from sim.traffic.network import Path
from sim.traffic.plan import FlowPlan, Plan, Reason


class User:
    """One person of a closed flow; while thinking, `left` is the unhurried time left and `due` when the request is sent."""

    __slots__ = ("due", "flow", "left", "thinking", "token")

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.thinking = False
        self.left = 0.0
        self.due = 0.0
        self.token = 0


class Flow:
    """Arrivals of one class from one origin, and the fates of its requests."""

    __slots__ = (
        "bucket",
        "burst_draws",
        "bursting",
        "deadline_s",
        "draws",
        "entered",
        "entry",
        "extra",
        "factor",
        "good",
        "latency",
        "lost",
        "mass",
        "mass_at",
        "offered",
        "paths",
        "plan",
        "priority",
        "propagates",
        "request_class",
        "segment",
        "token",
        "trace_every",
        "users",
    )

    def __init__(self, plan: FlowPlan, system: Plan, edges: list[Edge], paths: list[list[Path]], streams: Streams) -> None:
        request_class = system.classes[plan.request_class]
        self.plan = plan
        self.request_class = plan.request_class
        self.priority = request_class.priority
        self.deadline_s = request_class.deadline_s
        self.propagates = request_class.propagates
        self.entry = edges[plan.entry]
        self.paths = paths[plan.origin]
        self.draws = streams.draws(f"arrivals/{plan.name}")
        self.factor = 1.0
        self.extra = 0.0  # the rate of the present state of its bursts
        if plan.burst is not None:
            self.burst_draws = streams.draws(stream_of(plan.burst))
            self.bursting = begins_in_burst(plan.burst, streams)
            self.extra = plan.burst.burst_rate if self.bursting else plan.burst.calm_rate
        self.segment = 0
        self.mass = 0.0  # unit-exponential mass left until the next arrival, as of `mass_at`
        self.mass_at = 0.0
        self.token = 0
        self.users = [User(self) for _ in range(plan.users)]
        self.bucket: TokenBucket | None = None
        self.offered = self.good = 0
        self.trace_every = 0
        self.lost = [0] * len(Reason)
        self.latency = [0] * BUCKETS
        self.entered: dict[int, list[int]] = {}
