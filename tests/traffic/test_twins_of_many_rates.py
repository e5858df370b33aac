"""The compiled engine's calendar of ends of work: days are measured anew as rates change, and the order of events is the plain engine's.

Random systems are too small for this: a calendar is measured again after thousands of ends of work that were not the first of their day.
"""

from __future__ import annotations

from typing import Any

import pytest

from sim.traffic.changes import SetFlow, SetInstance
from sim.traffic.plan import Plan, ServiceTime
from tests.traffic.build import call, entry, exponential, flow, plan, station
from tests.traffic.test_twins import Script, compare

pytest.importorskip("numba")
from sim.traffic.compiled import layout as at

CROWD = 40


def _system(slow: ServiceTime) -> Plan:
    """Quick work, long work whose callers give up in the middle, and a crowd that always ends on one instant."""
    stations = [
        station("quick", exponential(0.002), slots=60, zones=(0, 0), queue_limit=500, calls=(2, 3)),
        station("slow", slow, slots=300, queue_limit=50),
        station("crowd", 0.25, slots=CROWD, queue_limit=10**4),
    ]
    edges = [
        entry(0, timeout_s=0.9),
        entry(2, name="crowd"),
        call(0, 1, calls_mean=0.3, asynchronous=True, timeout_s=5.0),
        call(0, 1, name="given up", calls_mean=0.2, required=False, cancel="running", timeout_s=0.05),
    ]
    flows = [flow(2500.0), flow(30.0, name="crowd", entry=1)]
    return plan(stations, edges, flows)


def _days(run: Any) -> float:
    length: float = run._arena.real[at.H_DAYS_A_SECOND]
    return length


@pytest.mark.parametrize("slow", [ServiceTime("lognormal", 0.4, 2.0), ServiceTime("constant", 0.7)], ids=lambda one: one.family)
@pytest.mark.parametrize("seed", [1, 2])
def test_order_does_not_depend_on_how_long_the_days_are(slow: ServiceTime, seed: int) -> None:
    busy: Script = [
        (1.5, None),
        (0.0, SetInstance(2, 0, frozen=True)),
        (2.0, SetInstance(2, 0, frozen=False)),  # a whole crowd goes on at once, and ends at once
        (0.2, SetInstance(1, 0, up=False)),
        (0.1, SetInstance(1, 0, up=True)),
        (0.3, SetInstance(0, 1, frozen=True)),
        (0.05, SetInstance(0, 1, frozen=False)),
        (0.5, SetInstance(0, 0, up=False)),
        (1.0, SetInstance(0, 0, up=True)),
    ]
    _, run = compare(_system(slow), busy, seed)
    assert _days(run) > 4000.0, "days have become shorter than when nothing had been measured"


def test_days_become_long_again_when_little_happens() -> None:
    system = _system(ServiceTime("lognormal", 0.4, 2.0))
    _, run = compare(system, [(2.0, None)])
    short = _days(run)
    calm: Script = [(2.0, None), (0.0, SetFlow(0, 0.02)), *[(60.0, None)] * 5]
    _, run = compare(system, calm)
    assert _days(run) < short / 4


def test_days_become_no_shorter_than_the_heap_has_room_for_those_of_another_year() -> None:
    """Nine hundred that end in up to three seconds do not fit on the heap of a young engine, when days become short all at once."""
    stations = [station("long", 3.0, slots=5000), station("quick", exponential(0.002), slots=60, queue_limit=500)]
    flows = [flow(300.0), flow(20_000.0, name="burst", entry=1)]
    system = plan(stations, [entry(0), entry(1, name="burst")], flows)
    burst: Script = [
        (0.0, SetFlow(1, 0.0)),
        (3.0, None),
        (0.0, SetFlow(1, 1.0)),
        (0.6, None),
        (0.0, SetFlow(1, 0.0)),
        (3.5, None),
    ]
    compare(system, burst)
