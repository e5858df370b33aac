"""Arrival rates over time: the load profile as a pure function of the time since the start.

The simulator takes a table of constant pieces from it, Locust asks it for the rate of the moment: one profile, two realities.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import cos, pi

from gameday.scenario.load import Arrivals, Bursty, Constant, Diurnal, Ramp, Replay, RequestClass, Spike, parts_of


def rate_at(profile: Arrivals | Sequence[Arrivals], t_s: float) -> float:
    """Requests per second at `t_s` seconds from the start; the rates of a list are added. Bursts, which come by chance, count with their mean."""
    if isinstance(profile, Constant):
        return profile.rate
    if isinstance(profile, Ramp):
        return _between(t_s, profile.at, profile.at + profile.over, profile.start_rate, profile.end_rate)
    if isinstance(profile, Spike):
        return _spike(profile, t_s)
    if isinstance(profile, Diurnal):
        return profile.mean * (1.0 + profile.amplitude * cos(2.0 * pi * (t_s - profile.peak_at) / profile.period))
    if isinstance(profile, Replay):
        return _replay(profile, t_s)
    if isinstance(profile, Bursty):
        return profile.mean
    return sum(rate_at(part, t_s) for part in profile)


def rate_table(request_class: RequestClass, duration_s: float, step_s: float = 5.0) -> tuple[tuple[float, float], ...]:
    """Constant pieces (start_s, requests per second) that follow the class's profile, each piece at its middle's rate.

    A constant rate is one piece. Steps are cut so that a piece never spans the edge of a spike, a ramp or a replayed interval.
    """
    profile = request_class.rate
    if profile is None:
        return ()
    if isinstance(profile, Constant):
        return ((0.0, profile.rate),)
    edges = {0.0, duration_s}
    for part in profile if isinstance(profile, list) else [profile]:
        edges |= _edges(part, duration_s)
    ordered = sorted(edge for edge in edges if 0.0 <= edge <= duration_s)
    table: list[tuple[float, float]] = []
    for start, end in pairwise(ordered):
        pieces = max(1, round((end - start) / step_s))
        width = (end - start) / pieces
        for piece in range(pieces):
            begin = start + piece * width
            rate = rate_at(profile, begin + width / 2.0)
            if not table or table[-1][1] != rate:
                table.append((begin, rate))
    return tuple(table)


def bursts_of(request_class: RequestClass) -> tuple[RequestClass, Bursty | None]:
    """The class without its bursty part, and that part."""
    parts = parts_of(request_class.rate)
    bursts = [part for part in parts if isinstance(part, Bursty)]
    if not bursts:
        return request_class, None
    steady = [part for part in parts if not isinstance(part, Bursty)]
    return request_class.model_copy(update={"rate": steady or Constant(rate=0.0)}), bursts[0]


def _edges(part: Arrivals, duration_s: float) -> set[float]:
    if isinstance(part, Ramp):
        return {part.at, part.at + part.over}
    if isinstance(part, Spike):
        return {part.at, part.at + part.ramp, part.at + part.lasts - part.ramp, part.at + part.lasts}
    if isinstance(part, Replay):
        return {part.interval * n for n in range(int(duration_s / part.interval) + 1)}
    return set()


def _between(t_s: float, start_s: float, end_s: float, before: float, after: float) -> float:
    if t_s <= start_s:
        return before
    if t_s >= end_s:
        return after
    return before + (after - before) * (t_s - start_s) / (end_s - start_s)


def _spike(profile: Spike, t_s: float) -> float:
    since = t_s - profile.at
    if since < 0.0 or since >= profile.lasts:
        return profile.base
    if profile.ramp > 0.0:
        rising = min(1.0, since / profile.ramp, (profile.lasts - since) / profile.ramp)
        return profile.base + (profile.peak - profile.base) * rising
    return profile.peak


def _replay(profile: Replay, t_s: float) -> float:
    counts = profile.counts
    assert counts, "replayed counts are read when the scenario is loaded"
    count = counts[int(max(0.0, t_s) / profile.interval) % len(counts)]
    if profile.mean is None:
        return count / profile.interval
    mean = sum(counts) / len(counts)
    return count / mean * profile.mean if mean > 0.0 else 0.0
