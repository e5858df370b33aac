"""Which instance in rotation an attempt goes to. Round robin is inlined where attempts are made; this is the other one.

The rule that surprises: a dead instance that is still in rotation holds nothing, so `least_busy` sends everything to it.
That is what such balancers do without health checks.
"""

from __future__ import annotations

from sim.traffic.edges import Target
from sim.traffic.state import Instance


def least_busy(rotation: list[Instance], target: Target) -> Instance:
    """The instance with the fewest running and queued requests; among equals the next after the last one chosen."""
    size = len(rotation)
    best = target.turn % size
    fewest = len(rotation[best].running) + rotation[best].queued
    for step in range(1, size):
        position = (target.turn + step) % size
        instance = rotation[position]
        load = len(instance.running) + instance.queued
        if load < fewest:
            best, fewest = position, load
    target.turn = best + 1
    return rotation[best]
