"""What random systems are made of, for the tests of laws and of twins: policies of a station beyond the plain ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from sim.traffic.plan import (
    BreakerPlan,
    BurstPlan,
    CachePlan,
    CoDelPlan,
    LimiterPlan,
    OutlierPlan,
    Plan,
    PoolPlan,
    ServiceTime,
    WindowPlan,
)

LIMITERS = [
    LimiterPlan(2.0),
    LimiterPlan(3.0, shares=(1.0, 0.5, 0.0)),
    LimiterPlan(2.0, True, 1.0, 6.0, 0.05, (1.0, 0.7, 0.3)),
]

breakers = st.sampled_from(
    [None, None, BreakerPlan(1, 0.2), BreakerPlan(4, 0.05, 2), BreakerPlan(0, 0.1, 1, WindowPlan(0.5, 6, 3))]
)


cancels = st.sampled_from(["none", "queued", "running", "running"])
CACHES = [
    CachePlan(1, 1, 0.1, coalesce=True),
    CachePlan(5, 2, 0.4, 1.0, coalesce=True),
    CachePlan(5, 5),
    CachePlan(30, 10, 0.5, 0.7),
]


@st.composite
def edge_policies(draw: st.DrawFn, entry: bool) -> dict[str, Any]:
    """Fields of an EdgePlan."""
    hedge_s = draw(st.sampled_from([None, None, None, 0.01, 0.04]))
    if entry:
        return {"hedge_s": hedge_s}
    return {
        "hedge_s": hedge_s,
        "bulkhead": draw(st.sampled_from([None, None, 1, 3])),
        "pool": draw(st.sampled_from([None, None, PoolPlan(1, 0.0), PoolPlan(1, 0.05), PoolPlan(2, 0.3)])),
        "cache": draw(st.sampled_from([None, None, *CACHES])),
    }


def without_wrong_caches(system: Plan) -> Plan:
    """Writes, asynchronous calls and fallbacks have none; and calls nobody waits for have no hedge."""
    fallbacks = {edge.fallback for edge in system.edges}
    edges = (
        replace(
            edge,
            cache=None if edge.asynchronous or edge.operation == "write" or number in fallbacks else edge.cache,
            hedge_s=None if edge.asynchronous else edge.hedge_s,
        )
        for number, edge in enumerate(system.edges)
    )
    return replace(system, edges=tuple(edges))


BURSTS = BurstPlan("x", 5.0, 200.0, 0.3, 0.1)
MEASURED = ServiceTime("empirical", 0.0, values=(0.0, 0.01, 0.01, 0.3))


@st.composite
def station_policies(draw: st.DrawFn) -> dict[str, Any]:
    """Fields of a StationPlan."""
    return {
        "outlier": draw(
            st.sampled_from([None, None, OutlierPlan(1, 0.1, 0.3, 0.2, 0.5), OutlierPlan(2, 0.05, 0.0, 0.1, 1.0), OutlierPlan(3)])
        ),
        "panic_ratio": draw(st.sampled_from([0.0, 0.0, 0.5, 1.0])),
        "lifo_above": draw(st.sampled_from([0, 2])),
        "codel": draw(st.sampled_from([None, CoDelPlan(0.0, 0.02), CoDelPlan(0.01, 0.2)])),
        "drop_expired": draw(st.sampled_from([False, False, True])),
        "limiter": draw(st.sampled_from([None, None, *LIMITERS])),
        "broker": draw(st.sampled_from([False, False, False, True])),
    }
