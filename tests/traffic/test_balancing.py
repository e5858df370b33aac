"""Balancing: who gets the calls, against closed forms where there are any."""

from __future__ import annotations

from scipy import stats  # type: ignore[import-untyped]

from sim.traffic.changes import SetInstance, SetLink
from sim.traffic.plan import Plan, Reason
from tests.traffic.build import Window, agrees, call, engine, entry, exponential, flow, lost, plan, station, windows


def _held(system: Plan, seconds: float, seed: int = 1) -> list[int]:
    """Requests each instance of the last station holds when nothing it starts ever ends."""
    run = engine(system, seed)
    run.advance(seconds)
    last = len(system.stations) - 1
    return [run.instance_busy(last, number)[0] for number in range(len(system.stations[last].instances))]


def test_random_is_uniform_but_does_not_deal_evenly() -> None:
    held = _held(plan([station("s", 1e6, slots=9999, zones=(0,) * 5, balancing="random")], [entry()], [flow(1000.0)]), 10.0)
    assert sum(held) > 9000
    assert 1e-3 < stats.chisquare(held).pvalue < 1.0 - 1e-3


def test_two_choices_keep_queues_as_short_as_the_supermarket_model_says() -> None:
    """Many servers at load r: a share r**(2**k - 1) of them holds k or more (Mitzenmacher 2001); at random it would be r**k."""
    servers, load, mean_s = 100, 0.8, 0.01
    zones = (0,) * servers
    system = plan(
        [station("s", exponential(mean_s), zones=zones, balancing="power_of_two")], [entry()], [flow(servers * load / mean_s)]
    )
    exact = sum(load ** (2**k - 1) for k in range(1, 9))
    found = windows(system, 1.0, 4.0, 8, longer=8)

    def held(window: Window) -> float:
        return window.latency_s() * window.count("offered", 0) / window.seconds / servers

    agrees(held, found, exact, 0.06)


def _zones() -> Plan:
    """Callers and callees, each with two instances a zone; nobody retries, nobody waits long."""
    zones = (0, 0, 1, 1)
    return plan(
        [station("a", 0.0, slots=9999, zones=zones, calls=(1,)), station("b", 0.001, slots=9999, zones=zones, balancing="zone_aware")],
        [entry(), call(0, 1, timeout_s=0.1)],
        [flow(2000.0, origin=2)],
        zones=("x", "y", "internet"),
    )  # fmt: skip


def test_zone_aware_calls_stay_in_their_zone_while_it_has_its_share() -> None:
    run = engine(_zones())
    for a, b in ((0, 1), (1, 0)):
        run.apply(SetLink(a, b, cut=True))
    run.advance(5.0)
    view = run.observe()
    assert lost(view) == {}
    assert view.good[0] > 9000


def test_zone_aware_calls_spill_over_what_their_zone_has_too_little_for() -> None:
    """With 1 of 3 callees and 2 of 4 callers in a zone, two thirds of the calls from there stay: one sixth of all calls leaves."""
    run = engine(_zones())
    for a, b in ((0, 1), (1, 0)):
        run.apply(SetLink(a, b, cut=True))
    run.apply(SetInstance(1, 0, in_rotation=False))
    run.advance(10.0)
    run.apply(SetInstance(1, 1, in_rotation=False))  # nobody left there: all of them leave
    view = run.observe()
    assert set(lost(view)) == {Reason.PARTITIONED}
    shares = lost(view)[Reason.PARTITIONED], view.good[0]
    assert stats.binomtest(shares[0], sum(shares), 1 / 6).pvalue > 1e-3
    before = list(shares)
    run.advance(20.0)
    view = run.observe()
    gone, stayed = lost(view)[Reason.PARTITIONED] - before[0], view.good[0] - before[1]
    assert stats.binomtest(gone, gone + stayed, 0.5).pvalue > 1e-3


def test_zone_aware_clients_go_round_all_instances() -> None:
    zones = (0, 0, 1)
    held = _held(
        plan([station("s", 1e6, slots=9999, zones=zones, balancing="zone_aware")], [entry()], [flow(900.0)], zones=("x", "y")),
        1.0,
    )
    assert max(held) - min(held) <= 1
