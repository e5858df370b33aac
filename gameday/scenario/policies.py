"""What the system and its operators do about trouble: failover, promotion, shedding, degradation, release.

A policy is a mechanism, never a promise: its benefit is whatever comes out when it is played.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration, Ratio
from gameday.scenario.system import Name
from gameday.scenario.times import Distribution, Time


def _trigger(value: Any) -> Any:
    """`3of5` as a mapping."""
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\d+)\s*of\s*(\d+)\s*", value)
        if found is None:
            raise ValueError("expected '<failed> of <last>', e.g. '3of5'")
        return {"failed": int(found[1]), "last": int(found[2])}
    return value


class Trigger(Strict):
    """So many failed probes among the last so many. In short: `3of5`."""

    failed: Annotated[int, Field(ge=1, le=100)]
    """Failed probes needed."""
    last: Annotated[int, Field(ge=1, le=100)]
    """Probes looked at."""


TriggerText = Annotated[Trigger, BeforeValidator(_trigger)]


class Failback(Strict):
    """The way back."""

    enabled: bool = True
    """Whether traffic and primaries go back at all within the run."""
    approval: Name | None = "incident_commander"
    """Role that must approve; none = goes back by itself (a hard failure when it happens without approval)."""
    stable_for: Duration = 600.0
    """Time the home region must have been healthy."""
    lag_below: Duration = 1.0
    """Replication lag that must be reached first."""


class Failover(Strict):
    """Failover of a region's traffic: detect, decide, check, fence, promote, move, refill."""

    mode: Literal["automatic", "manual", "none"] = "automatic"
    """automatic: the controller acts; manual: people propose and the approver decides; none: there is no failover."""
    pairs: dict[Name, Name] = {}
    """Region to the region that takes over."""
    trigger: TriggerText = Trigger(failed=3, last=5)
    """Probe failures that trigger it."""
    probe_interval: Duration = 10.0
    """Time between probes of a region."""
    probe_timeout: Duration = 2.0
    """Time a probe may take."""
    vantage: list[Name] = []
    """Regions the probes come from (`internet` = from outside); all must agree. None = internet."""
    decide: Time = Distribution(family="constant", mean=5.0)
    """Time the controller takes to decide."""
    approval: Name | None = None
    """Role that must approve an automatic failover; none = nobody."""
    check_lag: Duration | None = None
    """Replication lag above which databases are not promoted; none = not checked."""
    check_target: bool = True
    """Whether the target region must be healthy."""
    fence: bool = True
    """Whether old primaries are fenced before new ones are promoted."""
    fence_time: Time = Distribution(family="constant", mean=5.0)
    """Time fencing takes; it fails when the node cannot be reached, unless `fence_out_of_band`."""
    fence_out_of_band: bool = True
    """Whether fencing works without the network to the node (power, hypervisor, lease)."""
    promote: Time = Distribution(family="lognormal", mean=15.0, cv=0.5)
    """Time promoting a replica takes."""
    databases: list[Name] | None = None
    """Databases promoted with the region; none = all whose primary is in it."""
    move: Literal["dns", "anycast"] = "dns"
    """How traffic moves: by changing a record that clients cache, or at the network edge at once."""
    dns_ttl: Duration | None = None
    """Time to live of the record; none = `system.traffic.dns.ttl`."""
    step_failure: Ratio = 0.0
    """Probability that a step (fence, promote, move) fails by itself."""
    rollback: bool = True
    """Whether a failed failover is undone."""
    refill: Duration = 0.0
    """Time the target's caches are cold: its service times are `cold_factor` longer at first, decaying over this time."""
    cold_factor: Annotated[float, Field(ge=1, le=100)] = 1.0
    """Service-time factor of a cold target."""
    failback: Failback = Failback()
    """The way back."""


class RouteCheck(Strict):
    """The proxy beside the callers finds the primary by asking every node."""

    interval: Annotated[Duration, Field(gt=0)]
    """Time from one check to the next."""
    no_traffic: Annotated[Duration, Field(gt=0)] | None = None
    """The same while no connection has gone through the proxy since it was started, looked at when a check ends; none = `interval`.
    (Envoy's default of `no_traffic_interval` is 60 s.)"""
    timeout: Annotated[Duration, Field(gt=0)] | None = None
    """With `unhealthy`: time a check waits for an answer; none = `interval`."""
    unhealthy: Annotated[int, Field(ge=1)] | None = None
    """Failed checks in a row after which a primary that no longer answers is dropped, so that callers are refused at once; one that
    answers that it is no primary is dropped at the first. None = the last primary stays the target until another one answers."""
    proxy: Name | None = None
    """Service that is the proxy: it begins anew when an instance in the callers' region starts while no other runs there."""


class Promotion(Strict):
    """Failover of one database inside the system, as a cluster manager does it (leader lease, health check, promotion)."""

    mode: Literal["automatic", "manual", "none"] = "automatic"
    """Who promotes."""
    lease: Duration = 20.0
    """Time to live of the leader's lease: the primary counts as lost when it could not renew it for so long."""
    heartbeat: Duration = 10.0
    """Interval at which the primary renews its lease."""
    quorum: Literal["majority", "single"] = "majority"
    """majority: only a side of a partition with most voters promotes; single: whoever notices promotes (split brain is possible)."""
    voters: list[Name] = []
    """Zones the voters sit in; none = one voter per database node."""
    fence: bool = True
    """Whether a primary that cannot renew its lease stops taking writes by itself (watchdog)."""
    maximum_lag: Duration | None = None
    """Lag above which a replica is not promoted; none = not checked."""
    ask: Annotated[Annotated[Duration, Field(gt=0)] | None, Field(exclude_if=lambda value: value is None)] = None
    """Time a candidate waits for the agents of the other nodes, whom it asks how far they are once the lease has run out, before it takes the
    lease: one that runs answers at once, a dead one refuses, one that hangs or cannot be reached costs all of it. None = it asks nobody.
    (Patroni: 2 s, fixed in its code.)"""
    promote: Time = Distribution(family="lognormal", mean=5.0, cv=0.5)
    """Time the promotion takes."""
    route: Time = Distribution(family="constant", mean=2.0)
    """Time until callers reach the new primary (health check of the proxy in between)."""
    check: RouteCheck | None = None
    """How the proxy in between finds the primary; in place of `route`, and then that time is whatever is left until its next check."""
    rejoin: Literal["rewind", "stay_out"] = "rewind"
    """What an old primary does when it is back: rewind (its diverged writes are set aside) or stay out."""


class AdmitShares(Strict):
    """Share of a queue up to which a priority is let in."""

    normal: Ratio = 0.8
    """For normal requests."""
    best_effort: Ratio = 0.5
    """For best-effort requests."""


class Shedding(Strict):
    """Load shedding by priority at the instances' queues."""

    enabled: bool = True
    """Whether anything is shed."""
    services: dict[Name, AdmitShares] = {}
    """Services that shed, and when."""


class Degradation(Strict):
    """An optional call that is switched off under stress."""

    disable: str
    """The dependency: `<service> -> <target>`."""
    when: Name
    """Service whose utilisation is watched."""
    above: Ratio = 0.85
    """Utilisation of its slots above which the call is switched off."""
    lasting: Duration = 30.0
    """Time it must be above."""
    restore_below: Ratio = 0.6
    """Utilisation below which it comes back."""
    restore_after: Duration = 120.0
    """Time it must be below."""


class Release(Strict):
    """What watches a release."""

    automatic_rollback: bool = False
    """Whether the deployer rolls back by itself."""
    error_ratio: Ratio = 0.05
    """Share of errors of the released service that triggers it."""
    window: Duration = 60.0
    """Window it is measured over."""
    rollback: Time = Distribution(family="lognormal", mean=120.0, cv=0.4)
    """Time a rollback takes, automatic or by hand."""


class Policies(Strict):
    """All policies."""

    failover: Failover = Failover(mode="none")
    """Failover of regions."""
    databases: dict[Name, Promotion] = {}
    """Failover of databases."""
    shedding: Shedding = Shedding(enabled=False)
    """Load shedding."""
    degradation: list[Degradation] = []
    """Optional features that are switched off."""
    release: Release = Release()
    """Releases and rollbacks."""
