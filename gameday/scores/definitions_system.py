"""KPIs of what the system does: failover, shedding, data, cost."""

from __future__ import annotations

from typing import Final

from gameday.scores.entry import HARD, OWN, SCENARIO, kpi

FAILOVER: Final = (
    kpi(
        "failover.decision",
        "bool",
        "higher",
        1.0,
        "failover decided rightly",
        "Against an oracle that knows how long the home region stayed hurt: move if and only if staying would have lost more requests than "
        "moving. No for a false, a missed or a late failover (one that could save less than half of what an immediate one would have).",
        OWN,
        critical=True,
    ),
    kpi(
        "failover.rto",
        "s",
        "lower",
        None,
        "users hurt to 99 % good for those who were moved",
        "First instant from which good answers are at least 99 % of the requests offered by the clients at home in the region that was left, "
        "or should have been, over the indicator window and over the recovery window; minus t0, the beginning of what the move was for. Where only a database moved: "
        "requests of the classes that were hurt.",
        "recovery-time policy of the scenario",
        critical=True,
    ),
    kpi(
        "failover.rpo_writes",
        "count",
        "lower",
        None,
        "acknowledged writes lost",
        "`lost` of `writes.summary`, over all databases; where there is none, the `lost_writes` of promotions.",
        "recovery-point policy of the databases; 0 when every one is 0",
        critical=True,
    ),
    kpi(
        "failover.rpo_s",
        "s",
        "lower",
        None,
        "age of the oldest lost write",
        "`oldest_lost_s` of `writes.summary`; each database against its own recovery point, the worst is shown.",
        "`recovery_point` of the database",
        critical=True,
    ),
    kpi(
        "failover.split_brain_s",
        "s",
        "lower",
        0.0,
        "time with two writable primaries",
        "Seconds with two or more writable primaries, over all databases, from `database.primaries` or the roles of the nodes.",
        HARD,
        critical=True,
        hard=True,
    ),
    kpi(
        "failover.split_brain_writes",
        "count",
        "lower",
        0.0,
        "writes in conflict",
        "`conflicting` of `writes.summary`, over all databases.",
        OWN,
        critical=True,
    ),
    kpi(
        "failover.unapproved_failback",
        "count",
        "lower",
        0.0,
        "returns without approval, or too early",
        "Completed failbacks without an earlier approval by an allowed role, or before lag and stability were as the policy asks.",
        HARD,
        critical=True,
        hard=True,
    ),
    kpi(
        "failover.dns_tail_s",
        "s",
        "lower",
        None,
        "record changed to 99 % of clients moved",
        "First instant at which 99 % of the origin's clients go to the new place, minus `dns.changed`.",
        "target from the time to live and the share of clients that ignores it",
    ),
    kpi(
        "failover.flaps",
        "count",
        "lower",
        0.0,
        "moves beyond the first",
        "Promotions of the same database and completed moves of the same region beyond the first; approved failbacks are none.",
        OWN,
    ),
)

SHEDDING: Final = (
    kpi(
        "shedding.critical_goodput",
        "ratio",
        "higher",
        0.99,
        "critical requests answered well under overload",
        "Good answers of critical classes divided by their offered requests, in the worst overload window: from the first to the last bin of "
        "5 s in which queues or limiters refused or dropped (CoDel, drop_expired), or a busy service let requests time out.",
        OWN,
        critical=True,
    ),
    kpi(
        "shedding.priority_inversions",
        "count",
        "lower",
        0.0,
        "critical refused while lower was let in",
        "Per station and bin: the smaller of critical requests refused or dropped and lower requests let in, summed. Within 1 % of the critical "
        "requests of the station it is tolerated (queues are per instance, bins are coarse); beyond, it is a hard failure.",
        OWN,
        critical=True,
        hard=True,
    ),
    kpi(
        "shedding.over_shedding",
        "ratio",
        "lower",
        0.05,
        "refused without need",
        "Requests refused while the protected service was below its limit, divided by all refused, with those its queues dropped later.",
        OWN,
    ),
    kpi(
        "shedding.recovery_s",
        "s",
        "lower",
        None,
        "overload gone to users well",
        "From the end of what caused the overload (faults, spikes of load) to the end of impact; a metastable failure never recovers.",
        "twice the length of the trigger, at most 10 minutes",
        critical=True,
    ),
    kpi(
        "shedding.metastable",
        "bool",
        "lower",
        0.0,
        "stayed sick without its cause",
        "Whether, once what caused an overload was gone and no more was asked than before it, the share of good answers stayed more than "
        "5 points below its share before for a minute in a row.",
        "DesCartes' recovery monitor; its sizes here are assumptions",
    ),
)

DATA: Final = (
    kpi(
        "data.stale_reads",
        "count",
        "lower",
        0.0,
        "reads older than promised",
        "Reads beyond the declared staleness limit that did not fail explicitly (`stale_reads` of `writes.summary`).",
        OWN,
        critical=True,
    ),
    kpi(
        "data.invariants",
        "bool",
        "higher",
        1.0,
        "the counts of writes add up",
        "For each database: acknowledged and indeterminate writes are part of those attempted, lost ones of those acknowledged, conflicting "
        "ones of those attempted, surviving ones are the acknowledged less the lost, and what went missing at promotions is counted as lost, conflicting or unreconciled.",
        "set checker of Jepsen, on counts",
        critical=True,
    ),
    kpi(
        "data.unreconciled",
        "count",
        "lower",
        0.0,
        "writes still to be reconciled",
        "`unreconciled` of `writes.summary`, over all databases.",
        OWN,
        critical=True,
    ),
)

COST: Final = (
    kpi(
        "cost.lost_revenue",
        "money",
        "lower",
        None,
        "money lost with lost requests",
        "Requests lost during the judged time times the money per lost request of their class.",
        SCENARIO,
        critical=True,
    ),
    kpi(
        "cost.emergency_scaling",
        "money",
        "lower",
        None,
        "money for capacity above plan",
        "Instances above the planned number times their cost per hour, over the judged time.",
        SCENARIO,
    ),
)
