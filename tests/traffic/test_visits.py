"""What a station does: slots, priorities, kills, freezes, commits."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from sim.traffic.changes import AddInstance, DropWrites, SetEdge, SetFlow, SetInstance, SetLink, SetRateLimit, SetStation
from sim.traffic.plan import ClassPlan, InstancePlan, Plan, Reason, RetryPlan
from tests.traffic.build import burst, call, crowd, engine, entry, flow, in_flight, lost, plan, station


def test_a_crash_serves_neither_what_it_held_nor_what_was_queued() -> None:
    run = burst(plan([station("s", 1.0)], [entry()], [crowd(2)]))
    run.advance(0.5)
    run.apply(SetInstance(0, 0, up=False))
    assert lost(run.observe()) == {Reason.CRASHED: 2}
    run.apply(SetInstance(0, 0, up=True))
    run.advance(10.0)
    view = run.observe()
    assert (view.completed, view.failed, view.busy, view.queued) == ([0], [2], [0], [0])


def test_the_crash_of_a_caller_orphans_its_calls_and_nothing_leaks() -> None:
    retry = RetryPlan(retries=5, backoff_s=0.01)
    stations = [station("a", 0.1, slots=3, calls=(1,)), station("b", 1.0, slots=3)]
    run = burst(plan(stations, [entry(), call(0, 1, timeout_s=0.5, retry=retry)], [crowd(3)]))
    run.advance(0.3)
    run.apply(SetInstance(0, 0, up=False))
    run.apply(SetInstance(0, 0, up=True))
    run.advance(20.0)
    view = run.observe()
    assert lost(view) == {Reason.CRASHED: 3}
    assert (view.attempts[1], view.completed[1], view.busy) == (3, 3, [0, 0])  # zombies finish, nobody retries


def test_a_crash_is_learned_after_the_round_trip_and_not_at_all_through_a_cut() -> None:
    system = plan(
        [station("s", 1.0, zones=(1,))], [entry(timeout_s=5.0)], [crowd(1)], zones=("a", "b"), rtt_s=((0, 0.2), (0.2, 0))
    )
    for cut, reason, known_s in ((False, Reason.CRASHED, 0.71), (True, Reason.PARTITIONED, 5.01)):
        run = burst(system)
        run.advance(0.5)
        run.apply(SetLink(1, 0, cut=cut))
        run.apply(SetInstance(0, 0, up=False))
        run.advance(known_s - 0.02)
        assert in_flight(run.observe()) == 1
        run.advance(known_s)
        assert lost(run.observe()) == {reason: 1}


def test_a_frozen_instance_takes_requests_in_and_goes_on_where_it_was() -> None:
    run = burst(plan([station("s", 1.0)], [entry()], [crowd(2)]))
    run.advance(0.4)
    run.apply(SetInstance(0, 0, frozen=True))
    run.advance(10.4)
    assert (run.observe().good, run.observe().busy, run.observe().queued) == ([0], [1], [1])
    run.apply(SetInstance(0, 0, frozen=False))
    run.advance(10.99)
    assert run.observe().good == [0]
    run.advance(11.01)
    assert run.observe().good == [1]
    run.advance(12.01)
    assert run.observe().good == [2]


def test_a_killed_frozen_instance_fails_what_it_held_once() -> None:
    run = burst(plan([station("s", 1.0)], [entry()], [crowd(2)]))
    run.apply(SetInstance(0, 0, frozen=True))
    run.advance(5.0)
    run.apply(SetInstance(0, 0, up=False))
    run.apply(SetInstance(0, 0, up=True, frozen=False))
    run.advance(10.0)
    assert (lost(run.observe()), run.observe().failed, run.observe().completed) == ({Reason.CRASHED: 2}, [2], [0])


def test_what_a_frozen_caller_never_read_still_counts_at_the_edge_when_it_is_killed() -> None:
    stations = [station("a", 0.1, slots=2, calls=(1,)), station("b", 1.0, slots=2, error_ratio=1.0)]
    run = burst(plan(stations, [entry(), call(0, 1)], [crowd(2)]))
    run.advance(0.5)
    run.apply(SetInstance(0, 0, frozen=True))
    run.advance(5.0)
    assert run.observe().failures == [0, 0]
    run.apply(SetInstance(0, 0, up=False))
    assert (run.observe().failures, lost(run.observe())) == ([2, 2], {Reason.CRASHED: 2})


@pytest.mark.parametrize("cancel", [True, False])
def test_queued_work_of_a_dead_caller_is_done_unless_the_edge_cancels(cancel: bool) -> None:
    stations = [station("a", 0.1, slots=3, calls=(1,)), station("b", 1.0)]
    run = burst(plan(stations, [entry(), call(0, 1, cancel="queued" if cancel else "none")], [crowd(3)]))
    run.advance(0.5)
    run.apply(SetInstance(0, 0, up=False))
    run.advance(9.0)
    assert run.observe().completed[1] == (1 if cancel else 3)
    assert (run.observe().busy, run.observe().queued) == ([0, 0], [0, 0])


def test_answers_to_a_frozen_caller_wait_until_it_goes_on() -> None:
    stations = [station("a", 0.1, slots=2, calls=(1,)), station("b", 1.0, slots=2)]
    run = burst(plan(stations, [entry(), call(0, 1, timeout_s=3.0)], [crowd(2)]))
    run.advance(0.5)
    run.apply(SetInstance(0, 0, frozen=True))
    run.advance(20.0)  # the answers came at 1.1 s, the timeouts at 3.1 s
    assert (run.observe().busy, in_flight(run.observe())) == ([2, 0], 2)
    run.apply(SetInstance(0, 0, frozen=False))
    assert (run.observe().good, run.observe().busy) == ([2], [0, 0])


@pytest.mark.parametrize("at_s", [0.05, 0.3, 0.95, 2.2])
def test_freezing_and_thawing_at_one_instant_changes_nothing(at_s: float) -> None:
    retry = RetryPlan(retries=2, backoff_s=0.1)
    stations = [station("a", 0.1, slots=2, calls=(1,)), station("b", 0.7, slots=1)]
    system = plan(stations, [entry(), call(0, 1, timeout_s=0.5, retry=retry)], [crowd(4)])
    touched, untouched = burst(system), burst(system)
    for run in (touched, untouched):
        run.advance(at_s)
        if run is touched:
            run.apply(SetInstance(0, 0, frozen=True))
            run.apply(SetInstance(0, 0, frozen=False))
        run.advance(20.0)
    assert asdict(touched.observe()) == asdict(untouched.observe())


def test_fewer_slots_interrupt_nobody_and_more_start_the_queue_at_once() -> None:
    run = burst(plan([station("s", 1.0, slots=4)], [entry()], [crowd(8)]))
    run.apply(SetInstance(0, 0, slots=1))
    assert (run.observe().busy, run.observe().queued) == ([4], [4])
    run.advance(1.5)
    assert (run.observe().busy, run.observe().queued) == ([1], [3])
    run.apply(SetInstance(0, 0, slots=3))
    assert (run.observe().busy, run.observe().queued) == ([3], [1])


def test_slowdown_scales_the_drawn_time_of_work_that_starts_later() -> None:
    run = burst(plan([station("s", 1.0)], [entry()], [crowd(2)]))
    run.apply(SetInstance(0, 0, slowdown=3.0))
    run.apply(SetStation(0, slowdown=2.0))
    run.advance(1.5)
    assert run.observe().good == [1]
    run.advance(6.9)
    assert run.observe().good == [1]
    run.advance(7.1)
    assert run.observe().good == [2]


def test_a_new_instance_takes_its_share_and_one_out_of_rotation_finishes_what_it_holds() -> None:
    run = engine(plan([station("s", 0.1, slots=100)], [entry()], [flow(200.0)]))
    run.advance(5.0)
    run.apply(AddInstance(0, InstancePlan("s-new", 0, 100, 10)))
    run.advance(10.0)
    assert run.instance_busy(0, 0)[0] == pytest.approx(run.instance_busy(0, 1)[0], abs=3)
    run.apply(SetInstance(0, 0, in_rotation=False))
    run.advance(10.2)
    assert run.instance_busy(0, 0) == (0, 0)
    assert lost(run.observe()) == {}


def test_a_small_bulkhead_before_a_slow_server_refuses_the_rest() -> None:
    run = engine(plan([station("s", 1.0, slots=2, queue_limit=0)], [entry()], [flow(50.0)]))
    run.advance(5.0)
    view = run.observe()
    assert 10 <= view.admitted_by[0][0] <= 12
    assert lost(view) == {Reason.QUEUE_FULL: view.offered[0] - view.admitted_by[0][0]}
    assert view.refused_by[0][0] == view.lost[0][Reason.QUEUE_FULL]


def _three_priorities(**more: object) -> Plan:
    classes = (ClassPlan("x", 0, 99.0), ClassPlan("y", 1, 99.0), ClassPlan("z", 2, 99.0))
    flows = [crowd(20, name=name, request_class=number) for number, name in enumerate("xyz")]
    return plan([station("s", 1.0, queue_limit=10, **more)], [entry()], flows, classes=classes)  # type: ignore[arg-type]


def test_each_priority_is_let_in_up_to_its_share_of_the_queue() -> None:
    run = engine(_three_priorities(admit=(1.0, 0.5, 0.2)))
    run.advance(0.001)
    view = run.observe()
    assert view.queued == [10]
    full = [view.lost[number][Reason.QUEUE_FULL] for number in range(3)]
    shed = [view.lost[number][Reason.SHED] for number in range(3)]
    assert shed[0] == 0
    assert shed[1] > 0
    assert shed[2] > 0
    assert [full[n] + shed[n] for n in range(3)] == view.refused_by[0]
    assert sum(view.admitted_by[0]) == 11
    assert view.shed_below_limit == [0]


def test_a_share_of_zero_keeps_a_priority_out_even_of_free_slots() -> None:
    run = engine(_three_priorities(admit=(1.0, 1.0, 0.0), slots=100))
    run.advance(0.001)
    view = run.observe()
    assert (view.busy, view.good[2]) == ([40], 0)
    assert lost(view, 2) == {Reason.SHED: view.offered[2]}
    assert view.shed_below_limit == [view.offered[2]] == [view.refused_by[0][2]]


def test_a_priority_queue_serves_the_important_first() -> None:
    classes = (ClassPlan("x", 0, 99.0), ClassPlan("z", 2, 99.0))
    flows = [crowd(5, name="x"), crowd(5, name="z", request_class=1)]
    run = burst(plan([station("s", 1.0, queue_order="priority")], [entry()], flows, classes=classes))
    run.advance(6.5)  # the first may have been of either kind
    assert run.observe().good[0] == 5


def test_observing_is_not_traffic() -> None:
    system = plan([station("s", 0.01)], [entry()], [flow(50.0)])
    watched, alone = engine(system), engine(system)
    for tick in range(1, 101):
        watched.advance(tick * 0.1)
        watched.observe()
        watched.instance_busy(0, 0)
        watched.take_notes()
    alone.advance(10.0)
    assert asdict(watched.observe()) == asdict(alone.observe())


# Writes


def _database(users: int = 3, timeout_s: float = 5.0, slots: int = 1, work_s: float = 0.1) -> Plan:
    db = station("db", work_s, slots=slots, keeps_writes=True)
    return plan([db], [entry(operation="write", timeout_s=timeout_s)], [crowd(users)])


def test_writes_are_logged_when_they_commit_and_acknowledged_when_the_answer_arrives() -> None:
    run = burst(_database())
    run.apply(SetStation(0, commit_delay_s=0.4))
    run.advance(3.0)
    log, view = run.write_log(0), run.observe()
    assert list(log.committed_s) == pytest.approx([0.5, 1.0, 1.5], abs=1e-3)
    assert list(log.acknowledged) == [1, 1, 1]
    assert (view.writes_attempted, view.writes_acknowledged, view.writes_indeterminate) == ([3], [3], [0])


def test_a_write_whose_caller_gave_up_commits_and_is_indeterminate() -> None:
    run = burst(_database(users=1, timeout_s=0.3))
    run.apply(SetStation(0, commit_delay_s=0.4))
    run.advance(3.0)
    view = run.observe()
    assert (list(run.write_log(0).acknowledged), view.writes_indeterminate, lost(view)) == ([0], [1], {Reason.TIMEOUT: 1})


def test_a_write_whose_answer_is_lost_is_indeterminate() -> None:
    run = burst(_database(users=1))
    run.apply(SetLink(0, 0, cut=True))
    run.advance(9.0)
    view = run.observe()
    assert (list(run.write_log(0).acknowledged), view.writes_indeterminate, lost(view)) == ([0], [1], {Reason.PARTITIONED: 1})


def test_a_write_whose_caller_has_died_is_indeterminate() -> None:
    stations = [station("a", 0.1, calls=(1,)), station("db", 0.5, keeps_writes=True)]
    run = burst(plan(stations, [entry(), call(0, 1, operation="write")], [crowd(1)]))
    run.advance(0.3)
    run.apply(SetInstance(0, 0, up=False))
    run.advance(9.0)
    view = run.observe()
    assert (list(run.write_log(1).acknowledged), view.writes_indeterminate, view.writes_acknowledged) == ([0], [0, 1], [0, 0])


def test_blocked_commits_hold_their_slots_until_unblocked() -> None:
    run = burst(_database(users=5, slots=3))
    run.apply(SetStation(0, commit_blocked=True))
    run.advance(2.0)
    assert (run.observe().busy, run.observe().queued, list(run.write_log(0).committed_s)) == ([3], [2], [])
    run.apply(SetStation(0, commit_blocked=False))
    assert list(run.write_log(0).committed_s) == [2.0, 2.0, 2.0]
    run.advance(3.0)
    assert (run.observe().good, run.observe().writes_acknowledged) == ([5], [5])


def test_parked_writes_are_released_uncommitted_when_their_caller_gives_up() -> None:
    run = burst(_database(users=5, slots=3, timeout_s=1.0))
    run.apply(SetStation(0, commit_blocked=True))
    run.advance(30.0)
    view = run.observe()
    assert (view.busy, view.queued, lost(view)) == ([0], [0], {Reason.TIMEOUT: 5})
    run.apply(SetStation(0, commit_blocked=False))
    run.advance(40.0)
    assert (list(run.write_log(0).committed_s), run.observe().writes_indeterminate) == ([], [0])


def test_a_crash_before_the_commit_leaves_nothing_in_the_log() -> None:
    run = burst(_database(users=1))
    run.apply(SetStation(0, commit_delay_s=0.4))
    run.advance(0.3)
    run.apply(SetInstance(0, 0, up=False))
    run.advance(9.0)
    assert (list(run.write_log(0).committed_s), lost(run.observe())) == ([], {Reason.CRASHED: 1})


def test_dropping_the_front_of_the_log_keeps_positions() -> None:
    run = engine(plan([station("db", 0.001, keeps_writes=True)], [entry(operation="write")], [flow(100.0)]))
    run.advance(1.0)
    whole = list(run.write_log(0).committed_s)
    run.apply(DropWrites(0, 30))
    log = run.write_log(0)
    assert (log.base, list(log.committed_s)) == (30, whole[30:])
    run.apply(SetFlow(0, 0.0))
    run.advance(2.0)
    assert set(run.write_log(0).acknowledged) == {1}


def test_a_bad_change_is_refused_with_all_its_problems_and_changes_nothing() -> None:
    run = engine(plan([station("s")], [entry()], [flow(10.0)]))
    with pytest.raises(ValueError, match=r"station=4.*error_ratio=2"):
        run.apply(SetInstance(4, 0, error_ratio=2.0))
    with pytest.raises(ValueError, match="request_class=1, but there are 1"):
        run.apply(SetRateLimit(1, 5.0))
    with pytest.raises(ValueError, match="zone=3"):
        run.apply(AddInstance(0, InstancePlan("new", 3, 1, 1)))
    with pytest.raises(ValueError, match="is an entry"):
        run.apply(SetEdge(0, enabled=False))
    with pytest.raises(ValueError, match="instance=1"):
        run.apply(SetInstance(0, 1, up=False))
    with pytest.raises(ValueError, match="time runs forward"):
        run.advance(-1.0)
