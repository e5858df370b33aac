"""The callee's policies beside the ways of calling: in sequence, side by side and joined, optional, by chance, with a fallback.

One law for all: every request has one fate, every slot is free in the end, and what a policy refuses or drops reaches the caller as its reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.traffic import Observation
from sim.traffic.changes import SetFlow
from sim.traffic.plan import CachePlan, CoDelPlan, EdgePlan, LimiterPlan, Plan, Reason, StationPlan
from tests.traffic.build import call, engine, entry, exponential, flow, in_flight, lost, plan, station

STATIONS: dict[str, tuple[dict[str, Any], int]] = {
    "newest first": ({"queue_order": "lifo"}, Reason.TIMEOUT),
    "newest first while many wait": ({"queue_order": "adaptive_lifo", "lifo_above": 3}, Reason.TIMEOUT),
    "controlled delay": ({"codel": CoDelPlan(0.01, 0.05)}, Reason.DROPPED),
    "deadline": ({"drop_expired": True}, Reason.DROPPED),
    "fixed limit": ({"limiter": LimiterPlan(3.0)}, Reason.LIMITED),
    "adaptive limit": ({"limiter": LimiterPlan(4.0, True, 2.0, 8.0, 0.2)}, Reason.LIMITED),
}
"""What the overloaded station does, and why it loses requests then."""

WAYS: dict[str, dict[str, Any]] = {
    "required": {},
    "optional": {"required": False},
    "by chance": {"calls_mean": 0.5},
    "twice": {"calls_mean": 2.0},
    "fallback": {"fallback": 3},
    "cache": {"cache": CachePlan(1000, 100, 5.0, 0.5)},
    "coalesced cache": {"cache": CachePlan(40, 10, 0.1, 1.0, coalesce=True)},
}


def system(policy: dict[str, Any], way: dict[str, Any], fan_out: str) -> Plan:
    """front calls back, which is overloaded twice, and side, which is well; spare stands in for back."""
    front: StationPlan = station("front", 0.001, 5000, calls=(1, 2), fan_out=fan_out)
    back = station("back", exponential(0.01), 2, **policy)
    stations = [front, back, station("side", 0.005, 5000), station("spare", 0.002, 5000)]
    edges: list[EdgePlan] = [entry(timeout_s=2.0), call(0, 1, timeout_s=0.3, **way), call(0, 2), call(0, 3)]
    made = plan(stations, edges, [flow(400.0)])
    return replace(made, classes=(replace(made.classes[0], deadline_s=0.15),))


def played(made: Plan) -> Observation:
    """Twenty seconds of it, and then until everything is over."""
    run = engine(made)
    run.advance(20.0)
    run.apply(SetFlow(0, 0.0))
    run.advance(80.0)
    return run.observe()


@pytest.mark.parametrize("fan_out", ["sequential", "parallel"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("policy", STATIONS)
def test_every_policy_works_with_every_way_of_calling(policy: str, way: str, fan_out: str) -> None:
    settings, reason = STATIONS[policy]
    view = played(system(settings, WAYS[way], fan_out))
    assert in_flight(view) == 0
    assert view.busy == view.queued == [0] * 4
    assert view.offered[0] == view.good[0] + sum(view.lost[0])
    for number in range(4):
        assert view.arrived[number] == view.completed[number] + view.failed[number]
        assert view.arrived[number] >= view.admitted_by[number][0] + view.refused_by[number][0]
    assert 20.0 < view.busy_s[1] <= 2 * 80.0, "two slots, and never more of them"
    found = lost(view)
    if way == "optional":
        assert found.keys() <= {Reason.LATE}, "an optional call loses nothing but time"
    elif way == "fallback":
        assert found.keys() <= {Reason.LATE}
        assert view.completed[3] > 0
    elif way in ("required", "twice"):
        assert found[reason] > 0.1 * view.offered[0]
    if way == "by chance":
        assert view.attempts[1] == pytest.approx(0.5 * view.offered[0], rel=0.1)
    if "cache" in way:
        assert view.hits[1] + view.misses[1] + view.joined[1] == view.offered[0]
        assert view.attempts[1] == view.misses[1]
        assert view.hits[1] > 0
    if fan_out == "parallel":
        assert view.arrived[2] == view.offered[0], "the other call is made beside it, whatever becomes of the first"
    else:
        assert view.arrived[2] <= view.offered[0]
