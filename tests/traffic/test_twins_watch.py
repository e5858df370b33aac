"""Watched conditions: both engines stop at the same instants, which are those at which the condition comes to hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.streams import Streams
from sim.traffic import Engine, Stop, Watch
from sim.traffic.changes import AddInstance, SetInstance
from sim.traffic.plain import PlainEngine
from sim.traffic.plan import BreakerPlan, InstancePlan, Plan
from sim.traffic.watching import ALL, WATCHED
from tests.traffic.build import call, entry, exponential, flow, plan, station
from tests.traffic.test_twins import EXAMPLES, TWINS, Script, database_days, days, told

pytest.importorskip("numba")
from sim.traffic.compiled import CompiledEngine

BOTH = pytest.mark.parametrize("make", [PlainEngine, CompiledEngine])


def _engine(make: type[Engine], system: Plan) -> Engine:
    run: Engine = make(system, Streams(4))  # type: ignore[call-arg]
    return run


@st.composite
def watches(draw: st.DrawFn, system: Plan) -> Watch:
    what: Any = draw(st.sampled_from(WATCHED))
    count = {"in_flight": len(system.flows), "lost": len(system.flows), "breaker_open": len(system.edges)}
    subject = draw(st.integers(ALL if what == "lost" else 0, count.get(what, len(system.stations)) - 1))
    bound = draw(st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.0, 3.0, 8.0]))
    above = draw(st.booleans())
    last = len(system.stations[subject].instances) - 1 if what == "held" else 0
    lasting_s = draw(st.sampled_from([0.0, 0.0, 0.001, 0.05, 0.2]))
    bounds = (bound, None) if above else (None, bound)
    return Watch(what, subject, *bounds, lasting_s, draw(st.integers(0, last)))


@st.composite
def watched_days(draw: st.DrawFn) -> tuple[Plan, int, Script, list[Watch]]:
    system, seed, script = draw(st.one_of(days(), database_days()))
    return system, seed, script, draw(st.lists(watches(system), min_size=1, max_size=4))


def _play(run: Engine, system: Plan, script: Script, conditions: list[Watch]) -> list[Any]:
    """Everything told at every stop. A watch that has fired is set again a few times, the last one is dropped on the way."""
    seen: list[Any] = []
    at = {run.watch(condition): condition for condition in conditions}
    again = 12
    for number, (step, change) in enumerate([*script, (0.5, None)]):
        until = run.now + step
        while run.advance(until) is Stop.WATCH:
            seen.append((run.now, told(run, system), fired := run.take_fired()))
            assert fired
            for each in fired:
                condition = at.pop(each)
                if again:
                    again -= 1
                    at[run.watch(condition)] = condition
        if change is not None:
            run.apply(change)
        if number == 5:
            run.unwatch(max(at, default=0))
        seen.append(told(run, system))
    return seen


@settings(TWINS, max_examples=max(80, EXAMPLES // 3))
@given(watched_days())
def test_both_engines_stop_at_the_same_instants(day: tuple[Plan, int, Script, list[Watch]]) -> None:
    system, seed, script, conditions = day
    plain, compiled = (_play(make(system, Streams(seed)), system, script, conditions) for make in (PlainEngine, CompiledEngine))
    assert plain == compiled


@settings(TWINS, max_examples=max(40, EXAMPLES // 8))
@given(watched_days())
def test_watching_changes_nothing_of_what_happens(day: tuple[Plan, int, Script, list[Watch]]) -> None:
    system, seed, script, conditions = day
    alone, watched = (CompiledEngine(system, Streams(seed)) for _ in range(2))
    for condition in conditions:
        watched.watch(condition)
    for step, change in [*script, (0.5, None)]:
        until = alone.now + step
        alone.advance(until)
        while watched.advance(until) is Stop.WATCH:
            pass
        for run in (alone, watched):
            if change is not None:
                run.apply(change)
        assert told(alone, system) == told(watched, system)


@BOTH
@pytest.mark.parametrize("what", ["queued", "busy", "held", "in_flight", "lost"])
def test_it_stops_at_the_very_crossing(make: type[Engine], what: Any) -> None:
    """One request comes or goes at a time, so where it has just come to hold the number is the bound itself."""
    system = plan([station("s", exponential(0.05), slots=8, queue_limit=9)], [entry(timeout_s=0.2)], [flow(140.0)])
    run = _engine(make, system)
    crossings = 0
    for step in range(1, 9):
        began, bound = run.now, float(step + 8 * step * (what == "lost"))
        run.watch(Watch(what, 0, at_least=bound))
        assert run.advance(began + 1000.0) is Stop.WATCH
        if run.now > began:
            crossings += 1
            assert _number(run, what) == bound
        run.take_fired()
    assert crossings >= 3


def _number(run: Engine, what: str) -> float:
    view = run.observe()
    lost = sum(view.lost[0])
    numbers = {"queued": view.queued[0], "busy": view.busy[0], "held": sum(run.instance_busy(0, 0))}
    return {**numbers, "in_flight": view.offered[0] - view.good[0] - lost, "lost": lost}[what]


@BOTH
def test_a_condition_has_to_hold_without_a_break(make: type[Engine]) -> None:
    """Nine people send one request each at once to three slots of 1 s: the queue is 6, 3 and 0 from 0, 1 and 2 s on."""
    run = _engine(make, plan([station("s", 1.0, slots=3)], [entry()], [flow(users=9, think_s=1e-9)]))
    run.advance(0.001)
    long = run.watch(Watch("queued", 0, at_least=3.0, lasting_s=1.5))
    run.watch(Watch("queued", 0, at_least=5.0, lasting_s=1.5))
    assert run.advance(1.4) is Stop.UNTIL
    run.apply(SetInstance(0, 0, slots=0))  # nobody who waits is let in any more
    assert run.advance(9.0) is Stop.WATCH
    assert run.now == pytest.approx(1.501)
    assert run.take_fired() == [long]


@BOTH
def test_what_holds_already_stops_at_once_and_only_once(make: type[Engine]) -> None:
    run = _engine(make, plan([station("s")], [entry()], [flow(1.0)]))
    run.advance(2.0)
    number = run.watch(Watch("queued", 0, at_least=0.0))
    assert run.advance(3.0) is Stop.WATCH
    assert run.now == 2.0
    assert run.take_fired() == [number]
    assert run.advance(3.0) is Stop.UNTIL
    run.unwatch(run.watch(Watch("queued", 0, at_least=0.0)))
    assert run.advance(4.0) is Stop.UNTIL


@BOTH
def test_a_breaker_that_opens_and_closes_is_seen(make: type[Engine]) -> None:
    stations = [station("front", 0.0, slots=99, calls=(1,)), station("back", 0.001, slots=9)]
    run = _engine(make, plan(stations, [entry(), call(0, 1, breaker=BreakerPlan(3, 0.5))], [flow(100.0)]))
    run.watch(Watch("breaker_open", 1, at_least=1.0))
    assert run.advance(1.0) is Stop.UNTIL
    run.apply(SetInstance(1, 0, up=False))
    assert run.advance(9.0) is Stop.WATCH
    assert run.observe().breaker_open[1]
    run.apply(SetInstance(1, 0, up=True))
    run.watch(Watch("breaker_open", 1, at_most=0.0))
    opened = run.now
    assert run.advance(9.0) is Stop.WATCH
    assert opened + 0.5 < run.now < opened + 0.6
    assert [note.kind for note in run.take_notes()] == ["breaker.opened", "breaker.closed"]


@BOTH
def test_utilisation_counts_instances_that_came_later_and_is_full_where_nothing_is_up(make: type[Engine]) -> None:
    run = _engine(make, plan([station("s", 9.0, slots=2)], [entry()], [flow(users=2, think_s=1e-9)]))
    run.watch(Watch("utilisation", 0, at_least=1.0))
    assert run.advance(0.1) is Stop.WATCH
    run.apply(AddInstance(0, InstancePlan("new", 0, 2, 9)))
    run.watch(Watch("utilisation", 0, at_most=0.5))
    assert run.advance(0.1) is Stop.WATCH
    for instance in (0, 1):
        run.apply(SetInstance(0, instance, up=False))
    run.watch(Watch("utilisation", 0, at_least=1.0))
    assert run.advance(0.1) is Stop.WATCH


def test_a_watch_about_nothing_is_refused_with_all_its_problems() -> None:
    for make in (PlainEngine, CompiledEngine):
        run = make(plan([station("s")], [entry()], [flow(1.0)]), Streams(1))
        with pytest.raises(
            ValueError, match=r"exactly one of at_least and at_most; lasting_s=-1\.0 is no time; subject=3, but there are 1"
        ):
            run.watch(Watch("busy", 3, 1.0, 2.0, -1.0))
        with pytest.raises(ValueError, match="instance=1, but there are 1"):
            run.watch(Watch("held", 0, 1.0, instance=1))
        with pytest.raises(ValueError, match="none of busy, queued"):
            run.watch(Watch("mood", 0, 1.0))  # type: ignore[arg-type]
