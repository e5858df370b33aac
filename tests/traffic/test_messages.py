"""Message queues: accepted at once, kept as a backlog, delivered again, and dead in the end."""

from __future__ import annotations

import pytest

from sim.traffic.changes import SetFlow, SetInstance, SetStation
from sim.traffic.plan import Plan, Reason, RetryPlan
from tests.traffic.build import call, engine, entry, exponential, flow, in_flight, lost, plan, station


def system(
    rate: float, *, mode: bool = False, consumers: int = 4, service_s: float = 0.01, limit: int = 10**6, retries: int = 2
) -> Plan:
    """front sends a message for each request; a broker hands `consumers` at once to a service."""
    stations = [
        station("front", 0.001, 1000, calls=(1,)),
        station("broker", 0.0, consumers, queue_limit=limit, calls=(2,), broker=True),
        station("service", exponential(service_s), consumers),
    ]
    edges = [
        entry(timeout_s=5.0),
        call(0, 1, timeout_s=1.0, asynchronous=mode),
        call(1, 2, timeout_s=60.0, retry=RetryPlan(retries, 0.01)),
    ]
    return plan(stations, edges, [flow(rate)])


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_sender_has_its_answer_when_the_message_is_taken_in(asynchronous: bool) -> None:
    """The consumers take 50 s; even a sender that waits for the broker does not wait for them."""
    run = engine(system(20.0, mode=asynchronous, service_s=50.0))
    run.advance(10.0)
    view = run.observe()
    assert view.good[0] >= view.offered[0] - 3
    assert view.queued[1] + view.busy[1] == view.arrived[1] > 150
    assert lost(view) == {}


def test_the_backlog_grows_by_what_comes_too_much_and_drains_by_what_is_left_of_the_capacity() -> None:
    """4 consumers of 10 ms do 400 a second. 600 a second come for 50 s, then 100: the backlog is worked off at 300 a second."""
    run = engine(system(600.0))
    run.advance(50.0)
    backlog = run.observe().queued[1]
    assert backlog == pytest.approx(200.0 * 50.0, rel=0.05)
    run.apply(SetFlow(0, 1.0 / 6.0))
    run.advance(60.0)
    assert run.observe().queued[1] == pytest.approx(backlog - 300.0 * 10.0, rel=0.05)
    run.advance(50.0 + backlog / 300.0 + 3.0)
    assert run.observe().queued[1] < 100
    assert lost(run.observe()) == {}


def test_no_message_appears_or_vanishes() -> None:
    run = engine(system(300.0))
    for step in range(1, 60):
        run.advance(step * 0.5)
        if step == 20:
            run.apply(SetStation(2, error_ratio=0.7))
        if step == 40:
            run.apply(SetStation(2, error_ratio=0.0))
        view = run.observe()
        assert view.arrived[1] == view.completed[1] + view.failed[1] + view.busy[1] + view.queued[1]
        assert view.failed[1] == view.dead_letters[1]
    run.apply(SetFlow(0, 0.0))
    run.advance(100.0)
    view = run.observe()
    assert view.arrived[1] == view.completed[1] + view.dead_letters[1]
    assert view.dead_letters[1] > 100
    assert view.good == view.offered, "the senders never learn of it"


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_message_is_delivered_again_so_often_and_then_is_a_dead_letter(retries: int) -> None:
    """Each delivery fails with probability one half, so 0.5 to the power of the deliveries are dead; 3.9 sigma err once in 10,000."""
    run = engine(system(200.0, consumers=50, retries=retries))
    run.apply(SetStation(2, error_ratio=0.5))
    run.advance(50.0)
    run.apply(SetFlow(0, 0.0))
    run.advance(100.0)
    view = run.observe()
    messages, dead = view.arrived[1], 0.5 ** (retries + 1)
    assert abs(view.dead_letters[1] - messages * dead) < 3.9 * (messages * dead * (1.0 - dead)) ** 0.5
    assert view.retries[2] > 0 or retries == 0


def test_a_full_queue_refuses_and_the_sender_learns_it() -> None:
    run = engine(system(100.0, service_s=50.0, limit=20))
    run.advance(2.0)
    view = run.observe()
    assert view.queued[1] == 20
    assert lost(view).keys() == {Reason.QUEUE_FULL}


def test_consumers_that_are_down_let_messages_wait_or_die_but_not_their_senders() -> None:
    run = engine(system(100.0, retries=0))
    run.apply(SetInstance(2, 0, up=False))
    run.advance(5.0)
    view = run.observe()
    assert view.dead_letters[1] == view.failures[2] > 400
    run.apply(SetInstance(2, 0, up=True))
    run.apply(SetInstance(2, 0, frozen=True))
    run.advance(10.0)
    assert run.observe().queued[1] > 400
    run.apply(SetInstance(2, 0, frozen=False))
    run.apply(SetFlow(0, 0.0))
    run.advance(60.0)
    view = run.observe()
    assert (view.queued[1], in_flight(view)) == (0, 0)
    assert lost(view) == {}
