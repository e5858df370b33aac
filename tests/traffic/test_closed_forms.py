"""The engine against exact results: each value inside a 99.9 % interval that is itself narrow."""

from __future__ import annotations

import pytest

from sim.traffic import bucket_upper_s
from sim.traffic.plan import ServiceTime
from tests.traffic import forms
from tests.traffic.build import Window, agrees, call, entry, exponential, flow, lost, plan, station, windows


def test_one_server_has_the_mean_latency_of_m_m_1() -> None:
    found = windows(plan([station("s", exponential(0.01))], [entry()], [flow(60.0)]), 20.0, 1000.0, 16, longer=8)
    agrees(Window.latency_s, found, 1.0 / (100.0 - 60.0), 0.04)
    agrees(lambda window: window.count("busy_s", 0) / window.seconds, found, 0.6, 0.02)


def test_four_servers_wait_as_erlang_c_says() -> None:
    found = windows(plan([station("s", exponential(0.01), slots=4)], [entry()], [flow(320.0)]), 5.0, 120.0, 16, longer=40)
    exact = 0.01 + forms.m_m_c_wait_s(4, 320.0, 0.01)
    assert exact == pytest.approx(0.017455, abs=1e-6)
    agrees(Window.latency_s, found, exact, 0.04)


def test_a_bounded_queue_loses_and_waits_as_m_m_4_10() -> None:
    found = windows(
        plan([station("s", exponential(0.01), slots=4, queue_limit=6)], [entry()], [flow(320.0)]), 5.0, 120.0, 16, longer=40
    )
    loss, wait_s = forms.m_m_c_k(4, 10, 320.0, 0.01)
    agrees(lambda window: window.count("lost", 0, 2) / window.count("offered", 0), found, loss, 0.08)
    agrees(Window.latency_s, found, 0.01 + wait_s, 0.02)
    assert set(lost(found[0].after)) == {2}


@pytest.mark.parametrize("family", ["lognormal", "constant"])
def test_erlang_b_holds_without_a_queue_whatever_the_service_time(family: str) -> None:
    service = ServiceTime(family, 0.01, 1.4)  # type: ignore[arg-type]
    found = windows(plan([station("s", service, slots=5, queue_limit=0)], [entry()], [flow(320.0)]), 5.0, 100.0, 8, longer=20)
    agrees(lambda window: window.count("lost", 0, 2) / window.count("offered", 0), found, forms.erlang_b(5, 3.2), 0.05)


@pytest.mark.parametrize(("family", "cv"), [("lognormal", 1.4142135623730951), ("gamma", 0.5), ("constant", 0.0)])
def test_m_g_1_waits_as_pollaczek_and_khinchine_say(family: str, cv: float) -> None:
    mean_s = (bucket_upper_s(59) + bucket_upper_s(60)) / 2.0  # the middle of a bucket, so that unqueued answers count exactly
    rate = 0.6 / mean_s
    service = ServiceTime(family, mean_s, cv)  # type: ignore[arg-type]
    found = windows(plan([station("s", service)], [entry()], [flow(rate)]), 1000 * mean_s, 40_000 * mean_s, 20, longer=8)
    exact = mean_s + forms.m_g_1_wait_s(rate, mean_s, cv)
    agrees(Window.latency_s, found, exact, 0.05)
    agrees(lambda window: window.count("busy_s", 0) / window.seconds, found, 0.6, 0.02)


def test_two_stations_in_a_row_are_a_jackson_network() -> None:
    front = station("front", 0.0, slots=10**6, calls=(1, 2))
    stations = [front, station("a", exponential(0.01)), station("b", exponential(0.02), slots=2)]
    found = windows(plan(stations, [entry(), call(0, 1), call(0, 2)], [flow(60.0)]), 20.0, 200.0, 14, longer=16)
    second = 0.02 + forms.m_m_c_wait_s(2, 60.0, 0.02)
    agrees(Window.latency_s, found, 1.0 / (100.0 - 60.0) + second, 0.04)
    agrees(lambda window: window.count("busy_s", 0) / window.seconds / 60.0, found, 0.025 + second, 0.05)


@pytest.mark.parametrize(("rate", "patience_s"), [(320.0, 0.02), (480.0, 0.015)])
def test_those_who_give_up_in_the_queue_are_as_many_as_barrer_says(rate: float, patience_s: float) -> None:
    """The timeout counts from the request, so only what is still queued is dropped; what is in work goes on and counts as completed."""
    edge = entry(timeout_s=patience_s, cancel="queued")
    found = windows(plan([station("s", exponential(0.01), slots=4)], [edge], [flow(rate)]), 5.0, 60.0, 24, longer=20)
    exact = forms.m_m_c_d_gone(4, rate, 0.01, patience_s)
    agrees(lambda window: window.count("failed", 0) / window.count("arrived", 0), found, exact, 0.06)


def test_five_machines_and_one_repairman() -> None:
    closed = flow(users=5, think_s=1.0)
    found = windows(plan([station("s", exponential(0.1))], [entry()], [closed]), 50.0, 3000.0, 16, longer=4)
    idle = forms.repairman_idle(5, 0.1)
    agrees(lambda window: window.count("busy_s", 0) / window.seconds, found, 1.0 - idle, 0.02)
    agrees(lambda window: window.count("good", 0) / window.seconds, found, (1.0 - idle) / 0.1, 0.02)


def test_a_rate_table_has_the_right_number_of_arrivals_in_every_step() -> None:
    table = ((0.0, 100.0), (10.0, 0.0), (15.0, 400.0), (20.0, 50.0))
    system = plan([station("s", 0.0, slots=10**6)], [entry()], [flow(table=table)])
    first, silent, surge = windows(system, 0.0, 10.0, 60), windows(system, 10.0, 4.999, 3), windows(system, 15.0, 5.0, 60)
    agrees(lambda window: window.count("offered", 0), first, 1000.0, 0.03)
    agrees(lambda window: window.count("offered", 0), surge, 2000.0, 0.02)
    assert [window.count("offered", 0) for window in silent] == [0.0, 0.0, 0.0]
