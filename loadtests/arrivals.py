"""When each request of a class is to be sent: open-loop arrivals, decided before the system answers anything.

The rule that surprises: latency has to be counted from these intended starts. A generator that waits for answers sends nothing while the
system stalls, and so never measures the stall.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from gameday.arrivals import rate_table
from gameday.scenario.load import RequestClass


def intended_starts(request_class: RequestClass, duration_s: float, random: Random, share: float = 1.0) -> Iterator[float]:
    """Seconds from the start at which requests are to be sent: a Poisson process with the profile's rate times `share`.

    By time change: unit exponentials are spent over the constant pieces of the rate table. Closed classes have no such times.
    """
    table = [(start, rate * share) for start, rate in rate_table(request_class, duration_s)]
    ends = [start for start, _ in table[1:]] + [duration_s]
    left = random.expovariate(1.0)
    for (start, rate), end in zip(table, ends, strict=True):
        t = start
        while rate > 0.0 and t + left / rate < end:
            t += left / rate
            yield t
            left = random.expovariate(1.0)
        left -= rate * (end - t)
