"""The circuit breaker: the machine by itself, and between a caller and a broken callee with exact counts."""

from __future__ import annotations

from dataclasses import replace

from sim.traffic.breaker import CLOSED, HALF_OPEN, OPEN, Breaker
from sim.traffic.changes import SetInstance
from sim.traffic.plan import BreakerPlan, Plan, Reason, RetryPlan, WindowPlan
from tests.traffic.build import burst, call, crowd, engine, entry, flow, lost, plan, station


def _opened(trials: int = 1) -> Breaker:
    breaker = Breaker(BreakerPlan(3, 5.0, trials), 0)
    assert [breaker.failed(0, 10.0) for _ in range(3)] == [False, False, True]
    return breaker


def test_it_opens_after_failures_in_a_row_and_only_in_a_row() -> None:
    breaker = Breaker(BreakerPlan(3, 5.0), 0)
    for _ in range(5):
        breaker.failed(0, 1.0)
        breaker.failed(0, 1.0)
        breaker.succeeded(0)
    assert breaker.state == CLOSED
    assert _opened().state == OPEN


def test_it_stays_open_for_its_time_and_then_lets_its_trials_through() -> None:
    breaker = _opened(trials=2)
    assert not breaker.lets_through(14.9)
    assert [breaker.lets_through(15.0) for _ in range(4)] == [True, True, False, False]
    assert breaker.state == HALF_OPEN
    assert breaker.succeeded(breaker.epoch)
    assert breaker.state == CLOSED


def test_a_failed_trial_opens_it_again_for_the_whole_time() -> None:
    breaker = _opened()
    assert breaker.lets_through(15.0)
    assert not breaker.failed(breaker.epoch, 16.0)  # no second note of opening
    assert not breaker.lets_through(20.9)
    assert breaker.lets_through(21.0)


def test_late_results_from_before_it_opened_change_nothing() -> None:
    breaker = _opened()
    assert breaker.lets_through(15.0)
    breaker.succeeded(0)
    breaker.failed(0, 15.5)
    assert breaker.state == HALF_OPEN
    assert not breaker.lets_through(15.5)  # the one trial is still out
    breaker.succeeded(breaker.epoch)
    for _ in range(9):
        breaker.failed(0, 16.0)
    assert breaker.state == CLOSED


def test_by_share_it_opens_when_enough_of_the_last_outcomes_are_failures() -> None:
    breaker = Breaker(BreakerPlan(0, 5.0, 1, WindowPlan(0.5, attempts=4, minimum=3)), 0)
    assert not breaker.failed(0, 1.0)
    assert not breaker.failed(0, 1.0)  # two of two, but too few to judge
    breaker.succeeded(0)
    breaker.succeeded(0)
    breaker.succeeded(0)  # the first failure falls out
    assert not breaker.failed(0, 1.0)  # one of four: the second has fallen out too
    breaker.succeeded(0)
    assert breaker.failed(0, 1.0)  # two of four
    assert breaker.lets_through(6.0)
    breaker.succeeded(breaker.epoch)
    assert [breaker.failed(breaker.epoch, 7.0) for _ in range(3)] == [False, False, True]  # it begins with an empty window


def test_many_failures_that_are_never_in_a_row_open_it_only_by_share() -> None:
    for breaker, opened in ((BreakerPlan(40, 60.0), False), (BreakerPlan(0, 60.0, 1, WindowPlan(0.5)), True)):
        system = _one_dependency(breaker=breaker)
        stations = (system.stations[0], replace(system.stations[1], error_ratio=0.6))
        run = engine(replace(system, stations=stations))
        run.advance(5.0)
        view = run.observe()
        assert view.breaker_open == [False, opened]
        assert (view.attempts[1] < 110) == opened


def _one_dependency(**more: object) -> Plan:
    stations = [station("a", 0.001, slots=999, calls=(1,)), station("b", 0.001, slots=999)]
    return plan(stations, [entry(), call(0, 1, **more)], [flow(200.0)])


def test_a_crashed_callee_gets_exactly_the_failures_that_open_it_and_a_trial_each_time_it_half_opens() -> None:
    run = engine(_one_dependency(breaker=BreakerPlan(20, 5.0)))
    run.advance(5.0)
    run.apply(SetInstance(1, 0, up=False))
    run.advance(5.0)
    before = run.observe().failures[1]
    run.advance(15.3)  # opens at about 5.1, trials at about 10.1 and 15.1
    view = run.observe()
    assert before <= 1  # what the crash caught
    assert view.failures[1] == 20 + 2
    assert view.breaker_open == [False, True]
    assert set(lost(view)) - {Reason.CRASHED} == {Reason.REFUSED, Reason.BREAKER_OPEN}
    assert view.skipped[1] == view.lost[0][Reason.BREAKER_OPEN]
    run.apply(SetInstance(1, 0, up=True))
    run.advance(25.0)
    notes = run.take_notes()
    assert [(note.kind, note.index) for note in notes] == [("breaker.opened", 1), ("breaker.closed", 1)]
    assert 5.0 < notes[0].t < 5.3
    assert 20.0 < notes[1].t < 20.3
    assert run.take_notes() == []
    assert run.observe().breaker_open == [False, False]


def test_timeouts_open_the_breaker_too() -> None:
    run = engine(_one_dependency(breaker=BreakerPlan(20, 60.0), timeout_s=0.2))
    run.apply(SetInstance(1, 0, slowdown=1000.0))
    run.advance(10.0)
    view = run.observe()
    assert view.breaker_open == [False, True]
    assert 20 <= view.failures[1] < 20 + 80  # those under way while the first twenty timed out
    assert view.skipped[1] > 1500


def test_a_refusal_by_the_breaker_is_retried_but_is_no_outcome() -> None:
    edge = call(0, 1, breaker=BreakerPlan(1, 60.0), retry=RetryPlan(retries=2, backoff_s=0.01))
    stations = [station("a", 0.001, slots=9, calls=(1,)), station("b", error_ratio=1.0)]
    run = burst(plan(stations, [entry(), edge], [crowd(1)]))
    run.advance(5.0)
    view = run.observe()
    assert (view.attempts[1], view.failures[1], view.skipped[1], view.retries[1]) == (1, 1, 2, 0)
    assert lost(view) == {Reason.BREAKER_OPEN: 1}


def test_the_death_of_a_caller_with_a_trial_out_does_not_block_the_breaker_for_ever() -> None:
    run = engine(_one_dependency(breaker=BreakerPlan(5, 1.0), timeout_s=0.5))
    run.apply(SetInstance(1, 0, slowdown=1000.0))
    run.advance(3.0)
    run.apply(SetInstance(0, 0, up=False))
    run.apply(SetInstance(0, 0, up=True))
    run.apply(SetInstance(1, 0, up=False))
    run.apply(SetInstance(1, 0, up=True, slowdown=1.0))
    run.advance(6.0)
    assert run.observe().breaker_open == [False, False]
