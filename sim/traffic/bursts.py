"""Bursty arrivals: a Markov-modulated Poisson process of two states, on top of a flow's table of rates.

The rule that surprises: flows with the same stream name are in the same state at all times, so all origins of a class burst together.
"""

from __future__ import annotations

from sim.streams import Kind, Streams
from sim.traffic.plan import BurstPlan


def stream_of(plan: BurstPlan) -> str:
    """The name of the stream that says how long states last."""
    return f"bursts/{plan.stream}"


def begins_in_burst(plan: BurstPlan, streams: Streams) -> bool:
    """The state at the start: with the long-run share of each, so the mean rate is the same at every time of the day."""
    share = plan.burst_s / (plan.calm_s + plan.burst_s)
    return bool(streams.generator_of(stream_of(plan), Kind.UNIFORM).random() < share)
