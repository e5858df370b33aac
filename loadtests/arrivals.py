"""When each request of a class is to be sent: open-loop arrivals, decided before the system answers anything.

The rule that surprises: latency has to be counted from these intended starts. A generator that waits for answers sends nothing while the
system stalls, and so never measures the stall.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from gameday.arrivals import bursts_of, rate_table
from gameday.scenario.load import Bursty, RequestClass


def intended_starts(request_class: RequestClass, duration_s: float, random: Random, share: float = 1.0) -> Iterator[float]:
    """Seconds from the start at which requests are to be sent: a Poisson process with the profile's rate times `share`.

    By time change: unit exponentials are spent over the constant pieces of the rate table. Closed classes have no such times.
    """
    table = [(start, rate * share) for start, rate in _table(request_class, duration_s, random)]
    ends = [start for start, _ in table[1:]] + [duration_s]
    left = random.expovariate(1.0)
    for (start, rate), end in zip(table, ends, strict=True):
        t = start
        while rate > 0.0 and t + left / rate < end:
            t += left / rate
            yield t
            left = random.expovariate(1.0)
        left -= rate * (end - t)


def _table(request_class: RequestClass, duration_s: float, random: Random) -> list[tuple[float, float]]:
    """Pieces of constant rate; where the class is bursty, cut at the ends of this day's bursts."""
    steady, bursts = bursts_of(request_class)
    table = list(rate_table(steady, duration_s))
    if bursts is None:
        return table
    times = list(_burst_times(bursts, duration_s, random))
    starts = sorted({start for start, _ in table} | {edge for pair in times for edge in pair if edge < duration_s})
    cut = []
    for start in starts:
        base = next(rate for begin, rate in reversed(table) if begin <= start)
        bursting = any(begin <= start < end for begin, end in times)
        cut.append((start, base + (bursts.burst if bursting else bursts.calm)))
    return cut


def _burst_times(bursts: Bursty, duration_s: float, random: Random) -> Iterator[tuple[float, float]]:
    """From when to when the bursts of one day last."""
    bursting = random.random() < bursts.burst_for / (bursts.calm_for + bursts.burst_for)
    t = 0.0
    while t < duration_s:
        end = t + random.expovariate(1.0 / (bursts.burst_for if bursting else bursts.calm_for))
        if bursting:
            yield t, min(end, duration_s)
        t, bursting = end, not bursting
