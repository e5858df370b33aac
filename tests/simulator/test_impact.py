"""Ground truth of impact, against hand-made sequences of requests: from the first bad window to the first that held."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gameday.scenario.load import RequestClass
from sim.control.impact import ImpactMonitor
from sim.indicators import Indicators
from sim.recorder import Recorder
from sim.traffic import BUCKETS
from tests.simulator.small import small

WINDOW_S, SUSTAINED_S, RECOVERED_S = 5.0, 4.0, 6.0
INDICATOR = {"good": "90%", "window": "5s", "sustained": "4s", "recovered_after": "6s"}


@dataclass
class World:
    """What the monitor needs of a world: the classes, a record, somebody to tell."""

    recorder: Recorder = field(default_factory=Recorder)
    told: list[tuple[str, str]] = field(default_factory=list)
    scenario: Any = field(
        default_factory=lambda: SimpleNamespace(
            load=SimpleNamespace(
                classes={"buy": RequestClass.model_validate({"entry": "shop", "rate": "1/s", "indicator": INDICATOR})}
            )
        )
    )

    def tell(self, what, subject):
        self.told.append((what, subject))


def judge(seconds):
    """Events of a day given as (good, lost) per second."""
    world: Any = World()
    wiring: Any = SimpleNamespace(classes=["buy"], flows={("buy", "everyone"): 0})
    indicators = Indicators(wiring, lambda station: 0.0)
    faults: Any = SimpleNamespace(active={"1": None, "0": None})
    monitor = ImpactMonitor(world, indicators, faults)
    good = lost = 0
    for now in range(len(seconds) + 1):
        if now:
            good, lost = good + seconds[now - 1][0], lost + seconds[now - 1][1]
        row: Any = SimpleNamespace(
            offered=[good + lost],
            good=[good],
            lost=[[lost]],
            arrived=[],
            completed=[],
            failed=[],
            busy_s=[],
            queued=[],
            histograms=lambda: np.zeros((1, BUCKETS), dtype=np.int64),
            requests=lambda counts=(good + lost, good, lost): list(counts),
        )
        indicators.take(float(now), row)
        monitor.check(float(now))
    return [(event.kind, event.t, event.data) for event in world.recorder.timeline], world.told


GOOD, BAD, HALF = (10, 0), (0, 10), (5, 5)


def test_an_impact_starts_with_the_first_window_that_misses_the_objective():
    events, told = judge([GOOD] * 20 + [BAD] * 10)
    [(kind, t, data)] = events
    assert kind == "impact.started"
    assert t == 21.0, "one bad second in five is 80 % good"
    assert (data["flow"], data["good_ratio"], data["objective"]) == ("buy", pytest.approx(0.8), 0.9)
    assert data["cause"] == ["0", "1"]
    assert told == [("impact.started", "buy")]


def test_what_does_not_last_is_no_impact():
    lasting = int(WINDOW_S + SUSTAINED_S)
    assert judge([GOOD] * 20 + [BAD] + [GOOD] * 30)[0][0][0] == "impact.started", "one bad second is seen for five"
    short = [GOOD] * 20 + [(0, 5)] + [GOOD] * 2
    assert judge([*short, *([(1000, 0)] * 30)])[0] == [], "a window of three seconds is not sustained for four"
    assert lasting == 9


def test_it_ends_at_the_first_window_that_held_and_holds_for_the_whole_time():
    events, told = judge([GOOD] * 20 + [BAD] * 10 + [GOOD] * 30)
    assert [(kind, t) for kind, t, _ in events] == [("impact.started", 21.0), ("impact.ended", 35.0)]
    ended = events[1][2]
    assert ended["worst_good_ratio"] == 0.0
    assert ended["lost"] == 100
    assert ended["good_ratio"] == 1.0
    assert [what for what, _ in told] == ["impact.started", "impact.ended"]


def test_a_relapse_within_the_time_it_must_hold_is_the_same_impact():
    events, _ = judge([GOOD] * 20 + [BAD] * 10 + [GOOD] * 9 + [BAD] * 3 + [GOOD] * 30)
    assert [(kind, t) for kind, t, _ in events] == [("impact.started", 21.0), ("impact.ended", 47.0)]
    assert events[1][2]["lost"] == 130


def test_a_relapse_after_it_held_is_another_impact_with_its_own_losses():
    events, _ = judge([GOOD] * 20 + [BAD] * 10 + [GOOD] * 30 + [HALF] * 10 + [GOOD] * 30)
    assert [kind for kind, _, _ in events] == ["impact.started", "impact.ended"] * 2
    assert events[3][2]["lost"] == 50
    assert events[3][2]["worst_good_ratio"] == 0.5


def test_an_impact_that_never_ends_has_no_end_on_record():
    assert [kind for kind, _, _ in judge([GOOD] * 20 + [BAD] * 200)[0]] == ["impact.started"]


def test_a_handful_of_requests_decides_nothing():
    assert judge([(1, 0)] * 20 + [(0, 1)] * 100)[0] == []


def test_silence_during_an_impact_is_not_recovery():
    events, _ = judge([GOOD] * 20 + [BAD] * 10 + [(0, 0)] * 60)
    assert [kind for kind, _, _ in events] == ["impact.started"]


def test_in_a_played_day_impact_begins_with_the_fault_and_ends_after_it():
    day = small(faults=["errors service/shop ratio=0.9 at 60s for 60s"], policies={}, duration="5m")
    day.until(299.0)
    [started], [ended] = day.events("impact.started"), day.events("impact.ended")
    assert 60.0 < started.t <= 63.0
    assert started.data["cause"] == ["0"]
    assert 120.0 < ended.t <= 120.0 + 15.0 + 1.0
    assert ended.data["lost"] == sum(day.seen().lost[0])


def test_nothing_is_judged_before_the_warm_up_is_over():
    day = small(faults=["errors service/shop ratio=0.9 at 20s for 100s"], warmup="60s")
    day.until(150.0)
    assert day.times("impact.started") == [60.0]
