"""What may be changed in a running engine: one small value per kind of change.

A field left at None stays as it is. Stations, instances, edges, classes, flows and zones are positions in the plan;
instances added while running get the next free position of their station.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.traffic.plan import InstancePlan


@dataclass(frozen=True, slots=True)
class SetInstance:
    """Change one instance.

    `up` False kills it: every request it holds fails as CRASHED, a new one as REFUSED; True brings it back empty.
    `frozen` True stops its work without losing it (requests are still taken in); False lets it go on where it was.
    `in_rotation` False: the balancer no longer chooses it (what it holds is finished), unless it panics; `drained` True: not even then.
    `slots` changes its concurrency: running requests are never interrupted, fewer are started.
    `slowdown` multiplies the *drawn* service time of work that starts from now on (1.0 = none).
    `error_ratio` is the share of its answers that are errors, on top of the station's own.
    """

    station: int
    instance: int
    up: bool | None = None
    frozen: bool | None = None
    in_rotation: bool | None = None
    slots: int | None = None
    slowdown: float | None = None
    error_ratio: float | None = None
    drained: bool | None = None


@dataclass(frozen=True, slots=True)
class AddInstance:
    """Put one more instance into the station, up and in rotation."""

    station: int
    instance: InstancePlan


@dataclass(frozen=True, slots=True)
class SetStation:
    """Change what all instances of a station share. `stale` True: reads fail as STALE. `read_only` True: writes fail.

    `commit_delay_s` is added to every write before it is answered (a synchronous replica's round trip);
    `commit_blocked` True parks finished writes, slot held, until it is False again or their caller has given up.
    """

    station: int
    slowdown: float | None = None
    error_ratio: float | None = None
    read_only: bool | None = None
    stale: bool | None = None
    admit: tuple[float, float, float] | None = None
    commit_delay_s: float | None = None
    commit_blocked: bool | None = None


@dataclass(frozen=True, slots=True)
class SetLink:
    """Change the one-way link from zone `source` to zone `target` (requests use it one way, answers the other)."""

    source: int
    target: int
    extra_s: float | None = None
    loss_ratio: float | None = None
    cut: bool | None = None


@dataclass(frozen=True, slots=True)
class SetEdge:
    """Change a dependency: where it goes, whether it is used at all, and whether its name resolves.

    `options` empty: attempts fail as NO_ROUTE. `enabled` False: the call is skipped as if it were not in the plan
    (degradation of an optional feature). `dns_failed_ratio` is the share of attempts that fail as DNS. `cut` True: attempts never
    arrive, and their callers learn it by their timeout (PARTITIONED).
    """

    edge: int
    options: tuple[tuple[int, float], ...] | None = None
    enabled: bool | None = None
    dns_failed_ratio: float | None = None
    cut: bool | None = None


@dataclass(frozen=True, slots=True)
class SetFlow:
    """Multiply a flow's arrival rate (a surge) from now on."""

    flow: int
    rate_factor: float


@dataclass(frozen=True, slots=True)
class SetRateLimit:
    """Token bucket for one class at the entry, over all flows: `rate` per second, at most `burst`; rate None removes it."""

    request_class: int
    rate: float | None
    burst: float = 1.0


@dataclass(frozen=True, slots=True)
class DropWrites:
    """Forget a station's first writes up to log position `upto` (all replicated), so that the log stays short."""

    station: int
    upto: int


Change = SetInstance | AddInstance | SetStation | SetLink | SetEdge | SetFlow | SetRateLimit | DropWrites
