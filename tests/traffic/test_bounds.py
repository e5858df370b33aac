"""What an engine keeps is bounded by what is under way; what no engine can play is refused with all its problems at once."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest

from sim.traffic import Engine
from sim.traffic.changes import SetFlow, SetInstance
from sim.traffic.checks import PlanError
from sim.traffic.plan import BreakerPlan
from sim.traffic.state import Attempt
from tests.traffic.build import call, engine, entry, flow, plan, station


def _attempts_alive(run: Engine, others: int) -> int:
    kept = getattr(run, "attempts_kept", None)
    return int(kept) if kept is not None else _attempts_in_this_process() - others


def _attempts_in_this_process() -> int:
    """Of this engine and of whatever another test has left behind."""
    gc.collect()
    return sum(type(each) is Attempt for each in gc.get_objects())  # isinstance asks weak proxies, some of which point at nothing


def test_settled_attempts_do_not_pile_up_behind_long_timeouts() -> None:
    others = _attempts_in_this_process()
    run = engine(plan([station("s", 0.001, slots=9)], [entry(timeout_s=1e5)], [flow(1000.0)]))
    run.advance(10.0)
    assert run.observe().good[0] > 9000
    assert _attempts_alive(run, others) < 100


def test_cancelled_work_does_not_pile_up_in_the_queue_of_a_frozen_instance() -> None:
    others = _attempts_in_this_process()
    run = engine(plan([station("s", 0.001, queue_limit=5)], [entry(timeout_s=0.05, cancel="queued")], [flow(1000.0)]))
    run.apply(SetInstance(0, 0, frozen=True))
    run.advance(10.0)
    assert run.observe().failed[0] > 900
    assert _attempts_alive(run, others) < 300


def test_changing_a_flow_over_and_over_leaves_one_arrival_to_come() -> None:
    run = engine(plan([station("s", 0.001, slots=9)], [entry()], [flow(1000.0)]))
    for step in range(200):
        run.apply(SetFlow(0, float(step % 3)))
    run.apply(SetFlow(0, 1.0))
    run.advance(20.0)
    assert run.observe().offered[0] == pytest.approx(20_000, rel=0.03)


def test_a_plan_nobody_can_play_is_refused_with_all_its_problems() -> None:
    stations = [station("s", calls=(1, 7)), station("s")]
    edges = [entry(5, timeout_s=float("inf")), call(1, 0, breaker=BreakerPlan(0, 1.0), fallback=1)]
    flows = [flow(users=3), flow(table=((1.0, 2.0),), name="g", entry=1)]
    with pytest.raises(PlanError) as caught:
        engine(plan(stations, edges, flows))
    text = str(caught.value)
    for part in (
        "two stations are called 's'",
        "calls edge 7, which does not exist",
        "edge '1-0', which belongs to another caller",
        "timeout_s inf",
        "no station 5",
        "a breaker needs",
        "its fallback '1-0' is a call of its own too",
        "its users think longer",
        "edge 1 is not an entry",
        "must start at 0",
    ):
        assert part in text


def test_fallbacks_that_go_round_in_a_circle_are_refused() -> None:
    edges = [entry(), call(0, 1, fallback=2), call(0, 1, name="second", fallback=3), call(0, 1, name="third", fallback=2)]
    system = plan([station("s", calls=(1,)), station("t")], edges, [flow(1.0)])
    with pytest.raises(PlanError, match="circle"):
        engine(system)
    engine(replace(system, edges=(*edges[:3], replace(edges[3], fallback=None))))
