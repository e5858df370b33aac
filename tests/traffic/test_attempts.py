"""What a caller makes of a call: reasons, timeouts, retries, budgets, zombies, joins. Bursts make the counts exact."""

from __future__ import annotations

from copy import deepcopy

import pytest

from sim.traffic.changes import SetEdge, SetFlow, SetInstance, SetLink, SetRateLimit, SetStation
from sim.traffic.plan import ClassPlan, Reason, RetryPlan
from tests.traffic.build import burst, call, crowd, engine, entry, flow, in_flight, lost, plan, station


def test_ten_requests_to_a_slow_server_all_time_out() -> None:
    run = burst(plan([station("s", 1.0)], [entry(timeout_s=0.5)], [crowd(10)]))
    run.advance(30.0)
    assert lost(run.observe()) == {Reason.TIMEOUT: 10}
    assert run.observe().completed == [10]  # zombies: the work is done all the same
    assert run.observe().busy_s == [pytest.approx(10.0)]


def test_cancelled_work_is_dropped_from_the_queue_and_only_there() -> None:
    run = burst(plan([station("s", 1.0)], [entry(timeout_s=0.5, cancel="queued")], [crowd(10)]))
    run.advance(30.0)
    view = run.observe()
    assert (view.completed, view.failed, view.queued) == ([1], [9], [0])


def test_cancelled_work_leaves_room_in_the_queue_even_of_a_frozen_instance() -> None:
    system = plan([station("s", 0.001, queue_limit=5)], [entry(timeout_s=0.1, cancel="queued")], [flow(1000.0)])
    run = engine(system)
    run.apply(SetInstance(0, 0, frozen=True))
    run.advance(20.0)
    assert run.observe().admitted_by[0][0] > 500
    run.apply(SetFlow(0, 0.0))
    run.apply(SetInstance(0, 0, frozen=False))
    run.advance(30.0)
    view = run.observe()
    assert view.arrived[0] == view.completed[0] + view.failed[0]
    assert in_flight(view) == 0


def test_an_answer_at_the_very_instant_of_the_timeout_is_too_late() -> None:
    run = burst(plan([station("s", 0.5)], [entry(timeout_s=0.5)], [crowd(1)]))
    run.advance(1.0)
    assert lost(run.observe()) == {Reason.TIMEOUT: 1}


def test_a_down_instance_refuses_at_once_and_an_empty_rotation_has_no_route() -> None:
    system = plan([station("s")], [entry()], [flow(100.0)])
    run = engine(system)
    run.apply(SetInstance(0, 0, up=False))
    run.advance(1.0)
    assert set(lost(run.observe())) == {Reason.REFUSED}
    assert in_flight(run.observe()) == 0
    assert run.observe().arrived == run.observe().failed == [run.observe().offered[0]]
    run.apply(SetInstance(0, 0, in_rotation=False))
    run.advance(2.0)
    assert set(lost(run.observe())) == {Reason.REFUSED, Reason.NO_ROUTE}
    assert run.observe().arrived == run.observe().failed


def test_a_cut_edge_fails_at_the_timeout_and_its_target_never_hears_of_it() -> None:
    run = engine(plan([station("a")], [entry(timeout_s=0.5)], [flow(10.0)]))
    run.apply(SetEdge(0, cut=True))
    run.advance(100.0)
    seen = run.observe()
    assert seen.lost[0][Reason.PARTITIONED] == sum(seen.lost[0]) > 900
    assert seen.arrived == [0]
    run.apply(SetEdge(0, cut=False))
    run.advance(200.0)
    assert run.observe().good[0] > 900


def test_an_edge_without_options_has_no_route_and_one_without_name_service_fails_as_dns() -> None:
    run = engine(plan([station("s")], [entry()], [flow(1000.0)]))
    run.apply(SetEdge(0, dns_failed_ratio=0.25))
    run.advance(10.0)
    view = run.observe()
    assert set(lost(view)) == {Reason.DNS}
    assert view.lost[0][Reason.DNS] / view.offered[0] == pytest.approx(0.25, abs=0.02)
    run.apply(SetEdge(0, options=(), dns_failed_ratio=0.0))
    before = view.offered[0]
    run.advance(11.0)
    assert run.observe().lost[0][Reason.NO_ROUTE] == run.observe().offered[0] - before


@pytest.mark.parametrize(("source", "target"), [(0, 1), (1, 0)])
@pytest.mark.parametrize("loss", [None, 1.0])
def test_a_broken_link_is_felt_as_a_timeout_with_its_own_reason(source: int, target: int, loss: float | None) -> None:
    edges = [entry(timeout_s=0.5)]
    run = engine(plan([station("s", zones=(1,), slots=100)], edges, [flow(100.0)], zones=("a", "b")))
    run.apply(SetLink(source, target, cut=loss is None, loss_ratio=loss))
    run.advance(10.0)
    view = run.observe()
    assert set(lost(view)) == {Reason.PARTITIONED if loss is None else Reason.PACKET_LOSS}
    assert 20 < in_flight(view) < 80  # half a second's worth
    assert view.arrived[0] == (0 if source == 0 else view.offered[0])


def test_answers_take_the_round_trip_and_the_extra_delay_of_both_directions() -> None:
    system = plan([station("s", 0.1, zones=(1,))], [entry()], [crowd(1)], zones=("a", "b"), rtt_s=((0.0, 0.2), (0.2, 0.0)))
    run = burst(system)
    run.apply(SetLink(0, 1, extra_s=0.03))
    run.apply(SetLink(1, 0, extra_s=0.04))
    run.advance(0.369)
    assert run.observe().good == [0]
    assert run.observe().completed == [1]  # the slot is free while the answer travels
    run.advance(0.372)
    assert run.observe().good == [1]


def test_the_reason_of_the_leaf_becomes_the_reason_of_the_root() -> None:
    stations = [station("a", calls=(1,)), station("b", calls=(2,)), station("c", error_ratio=1.0)]
    run = burst(plan(stations, [entry(), call(0, 1), call(1, 2)], [crowd(3)]))
    run.advance(1.0)
    view = run.observe()
    assert lost(view) == {Reason.ERROR: 3}
    assert view.failed == [3, 3, 3]


def test_an_answer_after_the_deadline_is_late_and_its_latency_is_known() -> None:
    run = burst(plan([station("s", 1.0)], [entry()], [crowd(3)], classes=(ClassPlan("c", 0, 1.5),)))
    run.advance(5.0)
    view = run.observe()
    assert (view.good, lost(view), sum(view.latency[0])) == ([1], {Reason.LATE: 2}, 3)


def test_retries_are_counted_and_the_last_reason_stands() -> None:
    run = burst(plan([station("s")], [entry(retry=RetryPlan(retries=3, backoff_s=0.1))], [crowd(1)]))
    run.apply(SetInstance(0, 0, up=False))  # the first attempt is in work: it crashes; the retries are refused
    run.advance(10.0)
    view = run.observe()
    assert (view.attempts, view.retries, view.failures) == ([4], [3], [4])
    assert lost(view) == {Reason.REFUSED: 1}


def test_a_retry_budget_lets_through_its_share_and_its_burst() -> None:
    retry = RetryPlan(retries=5, backoff_s=0.0, budget_ratio=0.1, budget_burst=7.0)
    run = engine(plan([station("s", error_ratio=1.0, slots=10**6)], [entry(retry=retry)], [flow(1000.0)]))
    run.advance(10.0)
    run.apply(SetFlow(0, 0.0))
    run.advance(20.0)
    view = run.observe()
    earned = 7.0 + 0.1 * view.offered[0]
    assert earned - 5.0 <= view.retries[0] <= earned  # shares earned by a full bucket are lost


def test_full_jitter_backs_off_half_the_longest_time_on_average() -> None:
    retry = RetryPlan(retries=1, backoff_s=0.4)
    run = engine(plan([station("s", 0.001, slots=10**6)], [entry(retry=retry)], [flow(1000.0)]))
    run.apply(SetEdge(0, options=()))
    run.advance(20.0)
    assert in_flight(run.observe()) == pytest.approx(1000.0 * 0.2, rel=0.15)  # Little: rate times mean backoff


def test_a_token_bucket_admits_its_rate_and_its_burst_over_all_flows_of_the_class() -> None:
    edges, flows = [entry()], [flow(5000.0), flow(5000.0, name="g")]
    run = engine(plan([station("s", 0.0, slots=10)], edges, flows))
    run.apply(SetRateLimit(0, 5.0, 3.0))
    run.advance(10.0)
    view = run.observe()
    assert 51 <= sum(view.good) <= 53
    assert sum(view.lost[0]) + sum(view.lost[1]) == view.lost[0][Reason.RATE_LIMITED] + view.lost[1][Reason.RATE_LIMITED]
    run.apply(SetRateLimit(0, None))
    run.advance(11.0)
    assert sum(run.observe().good) > 5000


def test_a_token_bucket_saves_up_no_more_than_its_burst() -> None:
    run = engine(plan([station("s", 0.0, slots=10)], [entry()], [flow(5000.0)]))
    run.apply(SetFlow(0, 0.0))
    run.apply(SetRateLimit(0, 5.0, 3.0))
    run.advance(100.0)
    run.apply(SetFlow(0, 1.0))
    run.advance(101.0)
    assert 7 <= run.observe().good[0] <= 8


def test_the_caller_holds_its_slot_while_a_synchronous_call_runs() -> None:
    run = burst(plan([station("a", 0.1, slots=2, calls=(1,)), station("b", 1.0, slots=9)], [entry(), call(0, 1)], [crowd(3)]))
    run.advance(0.5)
    assert (run.observe().busy, run.observe().queued) == ([2, 2], [1, 0])
    run.advance(5.0)
    assert run.observe().busy_s == [pytest.approx(3.3), pytest.approx(3.0)]


def test_an_asynchronous_call_is_sent_and_not_waited_for() -> None:
    retry = RetryPlan(retries=2, backoff_s=0.01)
    stations = [station("a", 0.1, calls=(1,)), station("b", 1.0, slots=9, error_ratio=1.0)]
    run = burst(plan(stations, [entry(), call(0, 1, asynchronous=True, retry=retry)], [crowd(1)]))
    run.advance(0.2)
    assert (run.observe().good, run.observe().busy) == ([1], [0, 1])
    run.advance(10.0)
    assert run.observe().attempts == [1, 3]


def test_asynchronous_calls_are_retried_after_the_answer_but_not_after_the_death_of_their_process() -> None:
    edge = call(0, 1, asynchronous=True, retry=RetryPlan(retries=3, backoff_s=0.01))
    stations = [station("a", 0.1, calls=(1,)), station("b", 1.0, slots=9, error_ratio=1.0)]
    run = burst(plan(stations, [entry(), edge], [crowd(1)]))
    run.advance(1.5)
    assert (run.observe().good, run.observe().attempts[1]) == ([1], 2)
    run.apply(SetInstance(0, 0, up=False))
    run.apply(SetInstance(0, 0, up=True))
    run.advance(9.0)
    assert (run.observe().attempts[1], run.observe().failures[1]) == (2, 2)


def test_sequential_calls_stop_at_the_first_required_failure_and_go_on_after_an_optional_one() -> None:
    stations = [station("a", calls=(1, 2, 3)), station("b", error_ratio=1.0), station("c", error_ratio=1.0), station("d")]
    edges = [entry(), call(0, 1, required=False, calls_mean=2.0), call(0, 2), call(0, 3)]
    run = burst(plan(stations, edges, [crowd(1)]))
    run.advance(1.0)
    assert run.observe().attempts == [1, 2, 1, 0]
    assert lost(run.observe()) == {Reason.ERROR: 1}


def test_many_optional_calls_that_fail_at_once_do_not_exhaust_the_stack() -> None:
    stations = [station("a", calls=(1,)), station("b")]
    run = burst(plan(stations, [entry(), call(0, 1, options=(), required=False, calls_mean=5000.0)], [crowd(1)]))
    run.advance(1.0)
    assert (run.observe().good, run.observe().failures) == ([1], [0, 5000])


def test_parallel_calls_take_as_long_as_the_slowest() -> None:
    stations = [station("a", 0.1, calls=(1, 2), fan_out="parallel"), station("b", 0.2), station("c", 0.5)]
    run = burst(plan(stations, [entry(), call(0, 1), call(0, 2)], [crowd(1)]))
    run.advance(0.59)
    assert run.observe().good == [0]
    run.advance(0.61)
    assert run.observe().good == [1]


def test_parallel_calls_fail_with_the_first_required_failure_and_free_the_slot() -> None:
    stations = [station("a", 0.1, calls=(1, 2), fan_out="parallel"), station("b", 0.2, error_ratio=1.0), station("c", 5.0)]
    run = burst(plan(stations, [entry(), call(0, 1), call(0, 2)], [crowd(1)]))
    run.advance(0.31)
    assert (lost(run.observe()), run.observe().busy) == ({Reason.ERROR: 1}, [0, 0, 1])
    run.advance(10.0)
    assert run.observe().completed == [0, 0, 1]  # its late answer is ignored


def test_a_disabled_edge_is_skipped_and_costs_nothing() -> None:
    stations = [station("a", 0.1, calls=(1,)), station("b", error_ratio=1.0)]
    run = burst(plan(stations, [entry(), call(0, 1)], [crowd(2)]))
    run.apply(SetEdge(1, enabled=False))
    run.advance(1.0)
    assert (run.observe().good, run.observe().attempts) == ([2], [2, 0])


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("fan_out", ["sequential", "parallel"])
def test_a_fallback_is_called_once_the_call_has_failed_for_good_and_stands_for_it(required: bool, fan_out: str) -> None:
    stations = [station("a", calls=(1,), fan_out=fan_out), station("b", error_ratio=1.0), station("c", 0.3)]
    retry = RetryPlan(retries=2, backoff_s=0.01)
    edges = [entry(), call(0, 1, retry=retry, required=required, fallback=2), call(0, 2)]
    run = burst(plan(stations, edges, [crowd(1)]))
    run.advance(0.3)
    assert run.observe().good == [0]
    run.advance(1.0)
    assert (run.observe().good, run.observe().attempts) == ([1], [1, 3, 1])
    run = burst(plan(stations, edges, [crowd(1)]))
    run.apply(SetEdge(2, options=()))
    run.advance(1.0)
    assert lost(run.observe()) == ({Reason.NO_ROUTE: 1} if required else {})
    run = burst(plan(stations, edges, [crowd(1)]))
    run.apply(SetEdge(2, enabled=False))
    run.advance(1.0)
    assert lost(run.observe()) == ({Reason.ERROR: 1} if required else {})
    assert run.observe().attempts[2] == 0


def test_fates_are_known_by_the_station_the_last_attempt_reached() -> None:
    edge = entry(options=((0, 1.0), (1, 1.0)), timeout_s=0.5, retry=RetryPlan(retries=1, backoff_s=0.01))
    stations = [station("here", 0.001, slots=9), station("there", 0.001, slots=9, zones=(1,), error_ratio=1.0)]
    run = engine(plan(stations, [edge], [flow(200.0)], zones=("a", "b")))
    run.advance(5.0)
    run.apply(SetFlow(0, 0.0))
    run.advance(9.0)
    first = deepcopy(run.observe())
    here, there = first.entered[0][0], first.entered[0][1]
    assert (here, there) == ([first.good[0], 0], [0, lost(first)[Reason.ERROR]])
    run.apply(SetLink(0, 1, cut=True))
    run.apply(SetLink(0, 0, cut=True))
    run.apply(SetFlow(0, 1.0))
    run.advance(15.0)
    assert run.observe().entered == first.entered  # nothing reached anybody


def test_calls_of_other_classes_are_not_made() -> None:
    classes = (ClassPlan("x", 0, 9.0), ClassPlan("y", 1, 9.0))
    edges = [entry(), call(0, 1, classes=frozenset({1}))]
    flows = [crowd(3), crowd(4, name="g", request_class=1)]
    run = burst(plan([station("a", calls=(1,)), station("b")], edges, flows, classes=classes))
    run.advance(1.0)
    assert run.observe().attempts == [7, 4]


def test_fractional_calls_have_their_mean_and_weights_their_shares() -> None:
    stations = [station("a", 0.0, slots=9, calls=(1,)), station("b", 0.0, slots=9), station("c", 0.0, slots=9)]
    edge = call(0, 1, options=((1, 3.0), (2, 1.0)), calls_mean=1.3)
    run = engine(plan(stations, [entry(), edge], [flow(2000.0)]))
    run.advance(20.0)
    view = run.observe()
    assert view.attempts[1] / view.offered[0] == pytest.approx(1.3, abs=0.02)
    assert view.arrived[1] / view.attempts[1] == pytest.approx(0.75, abs=0.01)


def test_stale_copies_refuse_reads_and_read_only_nodes_refuse_writes() -> None:
    stations = [station("db", 0.001, slots=99)]
    edges = [entry(operation="read"), entry(name="w", operation="write"), entry(name="c")]
    flows = [flow(100.0), flow(100.0, name="g", entry=1), flow(100.0, name="h", entry=2)]
    run = engine(plan(stations, edges, flows))
    run.apply(SetStation(0, stale=True, read_only=True))
    run.advance(10.0)
    view = run.observe()
    assert (set(lost(view, 0)), set(lost(view, 1)), set(lost(view, 2))) == ({Reason.STALE}, {Reason.READ_ONLY}, set())


def test_round_robin_deals_evenly_and_least_busy_avoids_the_slow() -> None:
    for balancing in ("round_robin", "least_busy"):
        run = engine(plan([station("s", 0.01, slots=50, zones=(0, 0, 0), balancing=balancing)], [entry()], [flow(500.0)]))
        run.apply(SetInstance(0, 2, slowdown=20.0))
        run.advance(20.0)
        busy = [run.instance_busy(0, number)[0] for number in range(3)]
        if balancing == "round_robin":
            assert busy[2] > 20
        else:
            assert max(busy) - min(busy) <= 3
