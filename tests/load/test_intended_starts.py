"""The load generator's schedule follows the same profile as the simulator."""

from random import Random

import pytest

from gameday.arrivals import rate_at, rate_table
from gameday.scenario.load import RequestClass
from loadtests.arrivals import intended_starts


def a_class(rate):
    return RequestClass.model_validate({"entry": "edge", "rate": rate})


def test_a_spike_brings_as_many_requests_as_its_area():
    spike = a_class({"shape": "spike", "base": "10/s", "peak": "50/s", "at": "100s", "for": "60s", "ramp": "20s"})
    starts = list(intended_starts(spike, 300.0, Random(1)))
    expected = 10 * 300 + 40 * (60 - 20)
    assert abs(len(starts) - expected) < 4 * expected**0.5
    assert starts == sorted(starts)
    inside = [t for t in starts if 120 <= t < 140]
    assert abs(len(inside) - 50 * 20) < 4 * (50 * 20) ** 0.5


def test_a_share_takes_that_share_of_the_requests():
    starts = list(intended_starts(a_class("40/s"), 500.0, Random(2), share=0.25))
    assert abs(len(starts) - 5000) < 4 * 5000**0.5


def test_a_profile_that_is_zero_for_a_while_sends_nothing_then():
    profile = a_class({"shape": "spike", "base": "0/s", "peak": "20/s", "at": "50s", "for": "50s"})
    assert all(50 <= t < 100 for t in intended_starts(profile, 200.0, Random(3)))


@pytest.mark.parametrize(
    ("shape", "t", "rate"),
    [
        ({"shape": "ramp", "start_rate": "10/s", "end_rate": "30/s", "at": "10s", "over": "20s"}, 20.0, 20.0),
        ({"shape": "diurnal", "mean": "10/s", "amplitude": "50%", "period": "24h", "peak_at": "12h"}, 43200.0, 15.0),
        ({"shape": "diurnal", "mean": "10/s", "amplitude": "50%", "period": "24h", "peak_at": "12h"}, 0.0, 5.0),
        ({"shape": "replay", "counts": [60, 120], "interval": "60s"}, 61.0, 2.0),
        ({"shape": "replay", "counts": [60, 120], "interval": "60s", "mean": "9/s"}, 121.0, 6.0),
        (["5/s", "7/s"], 1.0, 12.0),
        ({"shape": "bursty", "calm": "10/s", "burst": "90/s", "calm_for": "30s", "burst_for": "10s"}, 7.0, 30.0),
    ],
)
def test_rates_are_what_the_shape_says(shape, t, rate):
    assert rate_at(a_class(shape).rate, t) == pytest.approx(rate)


def test_a_table_never_spans_an_edge_of_the_profile():
    spike = a_class({"shape": "spike", "base": "1/s", "peak": "9/s", "at": "7s", "for": "6s"})
    assert rate_table(spike, 30.0) == ((0.0, 1.0), (7.0, 9.0), (13.0, 1.0))


def test_bursts_bring_their_mean_on_top_of_what_comes_anyway_and_come_in_heaps():
    bursty = {"shape": "bursty", "calm": "5/s", "burst": "80/s", "calm_for": "4s", "burst_for": "1s"}
    whole_s = 4000.0
    starts = list(intended_starts(a_class(["10/s", bursty]), whole_s, Random(4)))
    counts = [0] * 4000
    for t in starts:
        counts[int(t)] += 1
    assert starts == sorted(starts)
    switching = 1 / 4 + 1
    spread = 0.8 * 0.2 * 75.0**2
    variance = 30.0 * whole_s + 2.0 * spread / switching * whole_s
    assert abs(len(starts) - 30.0 * whole_s) < 3.9 * variance**0.5, "errs once in 10,000 seeds"
    assert sum(count > 60 for count in counts) > 200
    assert sum(count < 30 for count in counts) > 2000
