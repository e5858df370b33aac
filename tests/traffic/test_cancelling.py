"""Cancelling: work whose caller has gone stops where the edge says so, downwards through the graph, and every slot comes back."""

from __future__ import annotations

import pytest

from sim.traffic.changes import SetFlow, SetInstance, SetLink
from sim.traffic.plan import BreakerPlan, Plan, PoolPlan, Reason
from tests.traffic.build import burst, call, crowd, entry, lost, plan, station


def _chain(cancel: str, **more: object) -> Plan:
    """The client gives up after half a second; a calls b calls c, and c takes ten seconds."""
    stations = [station("a", 0.1, calls=(1,)), station("b", 0.1, calls=(2,)), station("c", 10.0)]
    edges = [entry(timeout_s=0.5, cancel=cancel), call(0, 1, cancel=cancel), call(1, 2, cancel=cancel, **more)]
    return plan(stations, edges, [crowd(1)])


@pytest.mark.parametrize(("cancel", "busy"), [("none", [1, 1, 1]), ("queued", [1, 1, 1]), ("running", [0, 0, 0])])
def test_work_of_a_client_who_gave_up_stops_all_the_way_down_or_goes_on(cancel: str, busy: list[int]) -> None:
    run = burst(_chain(cancel))
    run.advance(0.499)
    assert run.observe().busy == [1, 1, 1]
    run.advance(0.501)
    view = run.observe()
    assert view.busy == busy
    assert lost(view) == {Reason.TIMEOUT: 1}
    run.advance(60.0)
    view = run.observe()
    assert view.busy == [0, 0, 0]
    done = 0 if cancel == "running" else 1
    assert (view.completed, view.failed) == ([done] * 3, [1 - done] * 3)
    assert (view.failures, view.cancelled) == ([1, 0, 0], [0, 1 - done, 1 - done])


def test_cancelling_goes_down_only_as_far_as_edges_cancel() -> None:
    stations = [station("a", 0.1, calls=(1,)), station("b", 0.1, calls=(2,)), station("c", 10.0)]
    edges = [entry(timeout_s=0.5, cancel="running"), call(0, 1, cancel="running"), call(1, 2, cancel="none")]
    run = burst(plan(stations, edges, [crowd(1)]))
    run.advance(0.6)
    assert run.observe().busy == [0, 0, 1]


def test_a_cancelled_slot_goes_to_who_waits_for_it() -> None:
    system = plan([station("s", 10.0)], [entry(timeout_s=0.5, cancel="running")], [crowd(1), crowd(1, name="g", entry=1)])
    system = plan(list(system.stations), [system.edges[0], entry(name="patient")], list(system.flows))
    run = burst(system)
    run.advance(0.6)
    view = run.observe()
    assert (view.busy, view.queued) == ([1], [0])
    run.advance(10.6)
    assert sum(run.observe().good) == 1  # began when the other was cancelled


def test_the_failure_of_one_parallel_call_stops_the_others() -> None:
    stations = [
        station("a", 0.1, calls=(1, 2), fan_out="parallel"),
        station("b", 0.1, error_ratio=1.0),
        station("c", 10.0, calls=()),
    ]
    edges = [entry(), call(0, 1), call(0, 2, cancel="running", breaker=BreakerPlan(1, 60.0))]
    run = burst(plan(stations, edges, [crowd(1)]))
    run.advance(0.3)
    view = run.observe()
    assert (view.busy, lost(view)) == ([0, 0, 0], {Reason.ERROR: 1})
    assert (view.cancelled[2], view.failures[2], view.breaker_open[2]) == (1, 0, False)  # no fault of the callee


def test_the_death_of_a_caller_stops_what_it_had_asked_for() -> None:
    run = burst(_chain("running"))
    run.advance(0.3)
    run.apply(SetInstance(0, 0, up=False))
    run.advance(0.31)
    assert run.observe().busy == [0, 0, 0]


def test_a_callee_that_cannot_be_reached_works_on() -> None:
    stations = [station("a", 0.1, calls=(1,)), station("b", 10.0, zones=(1,))]
    edges = [entry(timeout_s=0.5, cancel="running"), call(0, 1, cancel="running")]
    run = burst(plan(stations, edges, [crowd(1)], zones=("x", "y")))
    run.advance(0.3)
    run.apply(SetLink(0, 1, cut=True))
    run.advance(0.6)
    assert run.observe().busy == [0, 1]


def test_a_frozen_callee_reads_of_it_when_it_goes_on() -> None:
    run = burst(_chain("running"))
    run.advance(0.3)
    run.apply(SetInstance(2, 0, frozen=True))
    run.advance(2.0)
    assert run.observe().busy == [0, 0, 1]
    run.apply(SetInstance(2, 0, frozen=False))
    assert run.observe().busy == [0, 0, 0]


def test_a_cancelled_trial_leaves_its_place_to_another() -> None:
    """Half open, with one trial out, a breaker would refuse for ever if the trial's cancellation were not heard."""
    stations = [station("a", 0.001, slots=99, calls=(1,)), station("b", 0.001, slots=99)]
    edges = [entry(timeout_s=0.5, cancel="running"), call(0, 1, cancel="running", breaker=BreakerPlan(1, 1.0))]
    run = burst(plan(stations, edges, [crowd(1)]))
    run.apply(SetInstance(1, 0, error_ratio=1.0))
    run.apply(SetFlow(0, 1e-4))  # a request every tenth of a second
    run.advance(0.6)
    assert run.observe().breaker_open[1]
    run.apply(SetInstance(1, 0, error_ratio=0.0, slowdown=1e6))
    run.advance(2.5)  # a trial is made and cancelled with its request
    assert run.observe().cancelled[1] >= 1
    run.apply(SetInstance(1, 0, slowdown=1.0))
    run.advance(5.0)
    assert not run.observe().breaker_open[1]


def test_who_is_given_up_while_waiting_for_a_connection_leaves_the_line() -> None:
    stations = [station("a", 0.001, slots=99, calls=(1,)), station("b", 2.0, slots=99)]
    edges = [entry(timeout_s=0.5, cancel="running"), call(0, 1, cancel="running", pool=PoolPlan(1, 60.0))]
    run = burst(plan(stations, edges, [crowd(5)]))
    run.advance(60.0)
    view = run.observe()
    assert (view.cancelled[1], view.completed[1], view.busy) == (5, 0, [0, 0])
