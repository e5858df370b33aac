"""Deadlines that travel with a request: nobody waits beyond them, nothing begins after them; where they stay at home, all goes on."""

from __future__ import annotations

import pytest

from sim.traffic.plan import ClassPlan, Plan, Reason, RetryPlan
from tests.traffic.build import burst, call, crowd, engine, entry, flow, lost, plan, station


def _classes(deadline_s: float, propagates: bool = True) -> tuple[ClassPlan, ...]:
    return (ClassPlan("c", 0, deadline_s, propagates),)


def _chain(propagates: bool) -> Plan:
    """a calls b calls c, and c takes ten seconds."""
    stations = [station("a", 0.1, calls=(1,)), station("b", 0.1, calls=(2,)), station("c", 10.0)]
    return plan(stations, [entry(), call(0, 1), call(1, 2)], [crowd(1)], classes=_classes(0.5, propagates))


def test_nobody_in_a_chain_waits_beyond_the_deadline_of_the_request() -> None:
    run = burst(_chain(propagates=True))
    run.advance(0.49)
    assert run.observe().busy == [1, 1, 1]
    run.advance(0.51)
    view = run.observe()
    assert view.busy == [0, 0, 1]  # who works on it has not been told
    assert lost(view) == {Reason.DEADLINE: 1}
    assert view.failures == [1, 1, 1]


def test_a_deadline_that_does_not_travel_holds_the_whole_chain() -> None:
    run = burst(_chain(propagates=False))
    run.advance(0.51)
    assert run.observe().busy == [1, 1, 1]
    run.advance(20.0)
    assert lost(run.observe()) == {Reason.LATE: 1}


@pytest.mark.parametrize(("propagates", "completed", "late"), [(True, 4, {Reason.DEADLINE: 7}), (False, 10, {Reason.LATE: 7})])
def test_work_whose_deadline_has_passed_is_not_started(propagates: bool, completed: int, late: dict[Reason, int]) -> None:
    run = burst(plan([station("s", 0.3)], [entry()], [crowd(10)], classes=_classes(1.0, propagates)))
    run.advance(10.0)
    view = run.observe()
    assert view.completed == [completed]  # the fourth had begun
    assert view.failed == [10 - completed]
    assert view.good == [3]
    assert lost(view) == late


def test_calls_nobody_waits_for_are_free_of_the_deadline() -> None:
    stations = [station("a", 0.01, slots=9, calls=(1,)), station("b", 0.5)]
    run = burst(plan(stations, [entry(), call(0, 1, asynchronous=True)], [crowd(4)], classes=_classes(0.3)))
    run.advance(10.0)
    assert run.observe().completed == [4, 4]


def test_no_retry_is_made_after_the_deadline_and_the_request_ends_with_it() -> None:
    edge = entry(retry=RetryPlan(10**6, 0.2, 0.2))
    run = engine(
        plan([station("s", 0.001, slots=99, error_ratio=1.0)], [edge], [flow(users=5, think_s=1e-5)], classes=_classes(1.0))
    )
    run.advance(0.9)
    assert lost(run.observe()) == {}
    run.advance(1.0 + 1e-3)
    view = run.observe()
    assert lost(view) == {Reason.DEADLINE: 5}
    assert view.attempts[0] > 20


def test_a_fallback_and_an_optional_call_keep_to_the_deadline_too() -> None:
    stations = [station("a", 0.1, slots=9, calls=(1,)), station("b", 5.0, slots=9), station("c", 0.01)]
    edges = [entry(), call(0, 1, fallback=2, required=False), call(0, 2, name="fallback")]
    run = burst(plan(stations, edges, [crowd(1)], classes=_classes(0.5)))
    run.advance(3.0)
    view = run.observe()
    assert view.arrived == [1, 1, 0]
    assert lost(view) == {Reason.DEADLINE: 1}
