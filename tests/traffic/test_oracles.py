"""The closed forms themselves, held against independent libraries (most-queue, pyqueueing) and a second simulator (Ciw)."""

from __future__ import annotations

from math import sqrt
from statistics import mean, stdev

import pytest
from scipy import stats  # type: ignore[import-untyped]

from tests.traffic import forms

ciw = pytest.importorskip("ciw", reason="Ciw, the second simulator, is not installed")
erlang = pytest.importorskip("most_queue.theory.fifo.erlang", reason="most-queue is not installed")
mg1 = pytest.importorskip("most_queue.theory.fifo.mg1", reason="most-queue is not installed")
engset = pytest.importorskip("most_queue.theory.closed.engset", reason="most-queue is not installed")
pyqueueing = pytest.importorskip("pyqueueing", reason="pyqueueing is not installed")

LOADS = [(1, 0.6), (4, 3.2), (5, 3.2), (16, 14.5)]


@pytest.mark.parametrize(("servers", "offered"), LOADS)
def test_erlangs_formulas_are_those_of_two_libraries(servers: int, offered: float) -> None:
    assert forms.erlang_b(servers, offered) == pytest.approx(erlang.erlang_b_formula(offered, servers), rel=1e-9)
    assert forms.erlang_c(servers, offered) == pytest.approx(erlang.erlang_c_formula(offered, servers), rel=1e-9)
    other = pyqueueing.MMC(offered * 100.0, 100.0, servers)
    assert forms.m_m_c_wait_s(servers, offered * 100.0, 0.01) == pytest.approx(other.mean_wait(), rel=1e-9)


@pytest.mark.parametrize(("servers", "capacity", "rate"), [(4, 10, 320.0), (1, 5, 150.0), (3, 3, 200.0)])
def test_a_bounded_queue_is_that_of_a_library(servers: int, capacity: int, rate: float) -> None:
    other = pyqueueing.MMcK(rate, 100.0, servers, capacity)
    loss, wait_s = forms.m_m_c_k(servers, capacity, rate, 0.01)
    assert loss == pytest.approx(other.prob_block(), rel=1e-9)
    assert wait_s == pytest.approx(other.mean_wait(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("cv", [0.5, 1.0, sqrt(2.0)])
def test_pollaczek_and_khinchine_are_those_of_a_library(cv: float) -> None:
    assert forms.m_g_1_wait_s(60.0, 0.01, cv) == pytest.approx(pyqueueing.MG1(60.0, 100.0, service_cv=cv).mean_wait(), rel=1e-9)


def test_the_repairman_is_that_of_a_library() -> None:
    assert forms.repairman_idle(5, 0.1) == pytest.approx(0.5639522, abs=1e-7)
    other = engset.Engset()
    other.set_sources(0.1, 5)
    other.set_servers(1.0)
    assert forms.repairman_idle(5, 0.1) == pytest.approx(float(other.get_p()[0]), rel=1e-9)


def test_equal_patience_is_what_a_second_simulator_plays() -> None:
    """M/M/4 at 1.2 times its capacity, everybody leaves after 1.5 s in the queue (units of one service)."""
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(4.8)],
        service_distributions=[ciw.dists.Exponential(1.0)],
        number_of_servers=[4],
        reneging_time_distributions=[ciw.dists.Deterministic(1.5)],
    )
    gone = []
    for seed in range(12):
        ciw.seed(seed)
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_time(1500.0)
        records = [record for record in simulation.get_all_records() if record.arrival_date > 50.0]
        gone.append(sum(record.record_type == "renege" for record in records) / len(records))
    spread = stats.t.ppf(0.9995, len(gone) - 1) * stdev(gone) / sqrt(len(gone))
    assert abs(mean(gone) - forms.m_m_c_d_gone(4, 4.8, 1.0, 1.5)) <= spread
    assert spread < 0.02


def test_equal_patience_has_its_limits() -> None:
    assert forms.m_m_c_d_gone(4, 3.2, 1.0, 0.0) == pytest.approx(forms.erlang_b(4, 3.2))
    assert forms.m_m_c_d_gone(4, 3.2, 1.0, 60.0) < 1e-15
    assert forms.m_m_c_d_gone(4, 8.0, 1.0, 200.0) == pytest.approx(0.5, abs=1e-6)
