"""What both engines tell beyond counts: histograms of visits, marks of traced requests. (Their equality is part of `test_twins.told`.)"""

from __future__ import annotations

from math import inf, nextafter

import pytest

from sim.streams import Streams
from sim.traffic import BUCKET_EDGES_S, Engine, bucket_of
from sim.traffic.changes import SetEdge, SetInstance
from sim.traffic.core import OK
from sim.traffic.marks import ENTERED, FAILED, LEFT, OVER, SENT, SETTLED, STARTED
from sim.traffic.plain import PlainEngine
from sim.traffic.plan import BreakerPlan, ClassPlan, CoDelPlan, LimiterPlan, Plan, Reason, RetryPlan
from tests.traffic.build import call, entry, exponential, flow, plan, station

pytest.importorskip("numba")
from sim.traffic.compiled import CompiledEngine
from sim.traffic.compiled.clients import bucket_of as compiled_bucket_of
from sim.traffic.compiled.jit import machine_code
from sim.traffic.compiled.native import callable_from_python

BOTH = pytest.mark.parametrize("make", [PlainEngine, CompiledEngine])


def _engine(make: type[Engine], system: Plan) -> Engine:
    run: Engine = make(system, Streams(4))  # type: ignore[call-arg]
    return run


def test_both_engines_put_every_latency_into_the_same_bucket() -> None:
    run = CompiledEngine(plan([station("s")], [entry()], [flow(1.0)]), Streams(1))
    called = callable_from_python(machine_code(compiled_bucket_of))(run._arena.words, run._arena.reals)
    for edge in (*BUCKET_EDGES_S, 256.0, 1e4):
        for seconds in (nextafter(edge, 0.0), edge, nextafter(edge, inf), edge * 1.0101, edge * 1.07):
            assert called(seconds) == bucket_of(seconds), seconds
    assert called(0.0) == bucket_of(0.0) == 0


def test_a_part_of_the_kernel_called_from_python_fails_instead_of_answering_nothing() -> None:
    run = CompiledEngine(plan([station("s")], [entry()], [flow(1.0)]), Streams(1))
    with pytest.raises(KeyError):
        compiled_bucket_of(run._arena.words, run._arena.reals, 1.0)


@BOTH
def test_a_visit_counts_from_its_arrival_at_the_station_to_its_end_with_waiting_and_calls(make: type[Engine]) -> None:
    classes = (ClassPlan("x", 0, 9.0), ClassPlan("y", 1, 9.0))
    stations = [station("front", 0.15, slots=9, calls=(1,)), station("back", 0.95)]
    flows = [flow(users=1, think_s=1e-9, name="x"), flow(users=1, think_s=1e-9, name="y", request_class=1)]
    run = _engine(make, plan(stations, [entry(), call(0, 1)], flows, classes=classes))
    run.advance(2.3)
    first, second = ([{b: n for b, n in enumerate(row) if n} for row in rows] for rows in run.details().visits.tolist())
    # Both arrive at once; back works on one after the other: the first is there for 0.95 s, the second for twice that.
    assert sorted(map(tuple, second)) == sorted([(bucket_of(0.95),), (bucket_of(1.9),)])
    assert sorted(map(tuple, first)) == sorted([(bucket_of(1.1),), (bucket_of(2.05),)])


@BOTH
def test_visits_in_the_histogram_are_the_completed_ones(make: type[Engine]) -> None:
    run = _engine(make, plan([station("s", exponential(0.01), error_ratio=0.3, slots=3)], [entry()], [flow(200.0)]))
    run.advance(20.0)
    view = run.observe()
    assert view.failed[0] > 500
    assert run.details().visits.sum() == view.completed[0]


@BOTH
def test_every_failed_attempt_has_a_reason_where_it_went_or_on_its_edge_if_it_was_never_sent(make: type[Engine]) -> None:
    stations = [station("front", 0.01, slots=4, calls=(1,)), station("back", exponential(0.2), slots=1, queue_limit=2)]
    calls = [entry(), call(0, 1, timeout_s=0.3, bulkhead=3, breaker=BreakerPlan(5, 1.0, 1))]
    run = _engine(make, plan(stations, calls, [flow(60.0)]))
    run.advance(30.0)
    view, found = run.observe(), run.details()
    assert found.failed_by.sum() + found.unsent_by.sum() == sum(view.failures)
    assert found.unsent_by[1, Reason.BULKHEAD] > 50
    assert found.unsent_by[1, Reason.BREAKER_OPEN] == 0
    assert view.skipped[1] > 100
    assert found.failed_by[1, Reason.TIMEOUT] > 20
    assert found.failed_by[0, Reason.BREAKER_OPEN] > 100  # the front answers with what its own call has come to


@BOTH
def test_a_visit_is_wasted_when_its_caller_has_given_up_before_it_is_done(make: type[Engine]) -> None:
    run = _engine(make, plan([station("s", 1.0, slots=9)], [entry(timeout_s=0.9)], [flow(users=1, think_s=1e-9)]))
    run.advance(0.95)
    assert run.details().wasted.tolist() == [0]
    run.advance(5.05)
    view, found = run.observe(), run.details()
    assert found.wasted.tolist() == [view.completed[0]] == [5]
    assert found.failed_by[0, Reason.TIMEOUT] == 5


@BOTH
def test_a_limiter_tells_its_limit_and_what_it_refused_and_dead_instances_allow_nothing(make: type[Engine]) -> None:
    limiter = LimiterPlan(3, False, 1, 9)
    run = _engine(make, plan([station("s", 1.0, slots=9, zones=(0, 0), limiter=limiter)], [entry(timeout_s=9.0)], [flow(50.0)]))
    run.advance(5.0)
    found = run.details()
    assert found.limit.tolist() == [6.0]
    assert found.limited[0] == found.failed_by[0, Reason.LIMITED] == sum(run.observe().refused_by[0]) > 100
    run.apply(SetInstance(0, 1, up=False))
    assert run.details().limit.tolist() == [3.0]


@BOTH
def test_what_a_queue_drops_is_counted_by_priority(make: type[Engine]) -> None:
    classes = (ClassPlan("x", 0, 9.0), ClassPlan("y", 2, 9.0))
    stations = [station("s", 0.1, slots=1, codel=CoDelPlan(0.05, 0.2))]
    flows = [flow(10.0, name="x"), flow(20.0, name="y", request_class=1)]
    run = _engine(make, plan(stations, [entry(timeout_s=9.0)], flows, classes=classes))
    run.advance(30.0)
    view = run.observe()
    assert sum(view.dropped_by[0]) == run.details().failed_by[0, Reason.DROPPED] > 200
    assert view.dropped_by[0][0] > 0 < view.dropped_by[0][2]
    assert view.dropped_by[0][1] == 0
    assert view.refused_by[0] == [0, 0, 0]


@BOTH
def test_the_marks_of_a_request_tell_its_story_in_order(make: type[Engine]) -> None:
    system = plan(
        [station("front", 0.1, slots=9, calls=(1,)), station("back", 0.4)],
        [entry(), call(0, 1, timeout_s=0.3, retry=RetryPlan(1, 0.0))],
        [flow(users=1, think_s=1e-9)],
    )
    run = _engine(make, system)
    run.trace(0, 1)
    run.advance(0.75)
    marks = [mark for mark in run.take_marks() if mark.root == 1]
    story = [(round(mark.t, 3), mark.kind, mark.number, mark.outcome) for mark in marks]
    late = int(Reason.TIMEOUT)
    assert story[:10] == [
        (0.0, ENTERED, 0, 0),
        (0.0, SENT, 0, 0),  # to front
        (0.0, STARTED, 0, 0),
        (0.1, SENT, 0, 0),  # to back
        (0.1, STARTED, 0, 0),
        (0.4, FAILED, 0, late),
        (0.4, SENT, 1, 0),  # the retry waits behind the first try, which goes on
        (0.5, LEFT, 0, OK),
        (0.5, STARTED, 0, 0),
        (0.7, FAILED, 1, late),
    ]
    assert [mark.kind for mark in marks[10:]] == [LEFT, FAILED, OVER]
    assert marks[-1].outcome == late
    front, back = marks[1], marks[3]
    assert (front.parent, front.edge, front.station, back.parent, back.station) == (0, 0, 0, front.sequence, 1)
    assert marks[9].parent == front.sequence


@BOTH
def test_a_call_that_never_left_is_marked_too(make: type[Engine]) -> None:
    stations = [station("front", 0.0, slots=9, calls=(1,)), station("back", 0.0)]
    run = _engine(make, plan(stations, [entry(), call(0, 1, breaker=BreakerPlan(1, 99.0))], [flow(50.0)]))
    run.trace(0, 1)
    run.apply(SetInstance(1, 0, up=False))
    run.advance(1.0)
    run.apply(SetEdge(0, ()))
    run.advance(2.0)
    reasons = [(mark.edge, mark.outcome, bool(mark.sequence)) for mark in run.take_marks() if mark.kind == FAILED]
    refused, breaker_open, no_route = int(Reason.REFUSED), int(Reason.BREAKER_OPEN), int(Reason.NO_ROUTE)
    assert reasons[:2] == [(1, refused, True), (0, refused, True)]
    assert reasons[2:4] == [(1, breaker_open, False), (0, breaker_open, True)]
    assert reasons[-1] == (0, no_route, False)


@BOTH
def test_every_nth_request_is_traced_and_each_has_one_end(make: type[Engine]) -> None:
    run = _engine(make, plan([station("s", exponential(0.01), slots=3)], [entry(timeout_s=0.05)], [flow(200.0)]))
    run.advance(1.0)
    assert run.take_marks() == []
    run.trace(0, 10)
    before = run.observe().offered[0]
    run.advance(100.0)
    marks = run.take_marks()
    entered = [mark.root for mark in marks if mark.kind == ENTERED]
    assert len(entered) == run.observe().offered[0] // 10 - before // 10
    over = [mark.root for mark in marks if mark.kind == OVER]
    assert len(set(over)) == len(over) >= len(entered) - 3
    assert any(mark.kind == SETTLED for mark in marks)
    run.trace(0, 0)
    run.advance(101.0)
    run.take_marks()
    run.advance(110.0)
    assert run.take_marks() == []
    with pytest.raises(ValueError, match="there are 1 flows"):
        run.trace(1, 1)
