"""What a service does about too much work: who is dropped from its queue, who is not taken in, which calls it saves."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration, Ratio


class CoDel(Strict):
    """Controlled delay: whoever has waited longer than `interval` when a slot is free is dropped, and whoever has waited longer than
    `target` once the queue has not been empty for `interval`. As in B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015, with its values."""

    target: Duration = 0.005
    """Longest wait while the queue stands."""
    interval: Duration = 0.1
    """Longest wait otherwise, and the time after which the queue counts as standing."""


class Limiter(Strict):
    """A concurrency limiter in each instance: beyond its limit of requests, in work and waiting together, it refuses.

    `adaptive`: the limit follows the ratio of the long-term to the present time to answer, as in `Gradient2Limit` of Netflix'
    concurrency-limits, with its defaults."""

    limit: Annotated[float, Field(ge=1, le=1_000_000)] = 20.0
    """The limit; adaptive: where it begins."""
    adaptive: bool = False
    """Whether the limit moves by itself."""
    least: Annotated[float, Field(ge=1, le=1_000_000)] | None = None
    """adaptive: the lowest limit; none = 20."""
    most: Annotated[float, Field(ge=1, le=1_000_000)] | None = None
    """adaptive: the highest limit; none = 200."""
    window: Duration | None = None
    """adaptive: time between two moves of the limit; none = 1s."""
    normal: Ratio = 1.0
    """Share of the limit up to which requests of normal priority are taken in."""
    best_effort: Ratio = 1.0
    """Share of the limit up to which requests of best-effort priority are taken in."""


def limits_of(limiter: Limiter) -> tuple[float, float]:
    """The lowest and the highest limit of an adaptive limiter."""
    return 20.0 if limiter.least is None else limiter.least, 200.0 if limiter.most is None else limiter.most


class Cache(Strict):
    """What each calling instance keeps of the answers to a call. A hit needs no call; a new or restarted instance has nothing.

    The hit ratio is a result: each call draws a key, an answer is kept under it. For a cache that instances share, make it a service of its
    own and put this on its calls."""

    keys: Annotated[int, Field(ge=1, le=100_000)]
    """Different things that are asked for (the working set)."""
    capacity: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Answers kept; of more, the one not used for longest goes; none = all."""
    ttl: Duration | None = None
    """Time an answer is good; none = until it is pushed out."""
    zipf: Annotated[float, Field(ge=0, le=5)] = 1.0
    """Popularity: the n-th most popular key has a share proportional to 1/n^zipf; 0 = all alike. The default is near what Breslau et al.
    (INFOCOM 1999) found for web requests, 0.64 to 0.83, and above it: assumption."""
    coalesce: bool = False
    """Whether a call for a key that is on its way waits for it instead of calling too (no stampede when a popular answer expires)."""
