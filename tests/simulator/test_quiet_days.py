"""Days with quiet stretches: nothing is jumped over while anything goes on, and no score moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

import sim
from gameday.scenario import read_scenario
from gameday.scenario.model import Scenario
from gameday.scores import replication_scores, score
from gameday.statistics import holm
from sim.clock import ForeseeingClock
from sim.foresight import Foresight
from sim.processes import Process
from sim.traffic.quiet import QuietEngine
from sim.traffic.quiet.regime import LEAST_MEMORY_S
from tests.simulator.small import scenario

SHIPPED = Path(__file__).parents[2] / "scenarios" / "primary-loss.yaml"


@pytest.fixture(scope="module")
def day() -> Scenario:
    """The primary is lost after five minutes, for six; then there are nine more."""
    return read_scenario(SHIPPED, ["duration=20m"])


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Ends of the seconds that are shown instead of being played."""
    times: list[float] = []
    show = QuietEngine._show

    def noted(self: QuietEngine, *arguments: object) -> None:
        times.append(self.now)
        show(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(QuietEngine, "_show", noted)
    return times


def test_a_quiet_day_is_the_same_to_the_byte_again_and_says_how_much_was_jumped_over(day: Scenario, shown: list[float]) -> None:
    first = sim.run(day, 4, 1, quiet=True)
    assert first.jumped_s == len(shown) > 300
    again = sim.run(day, 4, 1, quiet=True)
    assert again.timeline.to_bytes() == first.timeline.to_bytes()
    assert again.series == first.series
    exact = sim.run(day, 4, 1)
    assert exact.jumped_s == 0.0
    assert exact.series != first.series


def test_both_engines_play_the_same_quiet_day() -> None:
    pytest.importorskip("numba")
    short = read_scenario(SHIPPED, ["duration=6m"])
    plain, compiled = (sim.run(short, 4, 1, engine=kind, quiet=True) for kind in ("plain", "compiled"))  # type: ignore[arg-type]
    assert plain.jumped_s == compiled.jumped_s > 100
    assert plain.timeline.to_bytes() == compiled.timeline.to_bytes()
    assert plain.series == compiled.series


def test_nothing_is_jumped_over_from_a_warm_up_before_a_fault_until_all_is_well(day: Scenario, shown: list[float]) -> None:
    for replication in range(3):
        shown.clear()
        recording = sim.run(day, 2, replication, quiet=True)
        begin = {event.subject: event.t for event in recording.timeline if event.kind in ("fault.injected", "impact.started")}
        end = {event.subject: event.t for event in recording.timeline if event.kind in ("fault.healed", "impact.ended")}
        assert begin.keys() == end.keys()
        for subject, since in begin.items():
            inside = [at for at in shown if since - LEAST_MEMORY_S < at <= end[subject] + LEAST_MEMORY_S]
            assert inside == [], f"{subject}: {since} to {end[subject]}"
        assert [at for at in shown if at < min(begin.values())]
        assert [at for at in shown if at > max(end.values())]
        assert max(shown) <= day.duration - LEAST_MEMORY_S, "the end of the day is played"


def test_what_fails_by_chance_is_foreseen_too(shown: list[float]) -> None:
    background = {"fault": "kill", "target": "instance/shop@a1/0", "mtbf": "15m", "mttr": "20s"}
    what = scenario(duration="60m", schedule={"background": [background]})
    recording = sim.run(what, 3, quiet=True)
    faults = [event.t for event in recording.timeline if event.kind == "fault.injected"]
    assert faults
    assert shown
    for at in faults:
        assert not [t for t in shown if at - LEAST_MEMORY_S < t <= at + LEAST_MEMORY_S]


def test_whoever_was_not_said_to_look_only_is_waited_for() -> None:
    clock = ForeseeingClock()
    ahead: dict[float, float] = {}

    def look() -> Process:
        while True:
            yield clock.timeout(1.0)
            ahead[clock.now] = clock.next_act()

    def act(seconds: float) -> Process:
        while True:
            yield clock.timeout(seconds)

    def look_once_and_act() -> Process:
        yield clock.timeout(9.5)
        clock.process(act(3.25))

    clock.look(look())
    clock.look(look_once_and_act())
    clock.process(act(7.0))
    clock.run(until=20.0)
    assert ahead[1.0] == ahead[6.0] == 7.0
    assert ahead[8.0] == 14.0
    assert ahead[10.0] == 12.75, "what a look has set off is no look"
    assert ahead[13.0] == 14.0
    assert ahead[19.0] == 19.25
    assert clock.next_act() == 20.0, "the end of the day is something that happens"


def test_a_fault_that_is_active_and_copies_that_are_behind_are_something_that_goes_on() -> None:
    class World:
        env = ForeseeingClock()
        clusters: dict[str, object] = {}

    class Cluster:
        nodes = ("a", "b")
        lag = 0.5

        def lag_of(self, zone: str) -> float | None:
            return None if zone == "a" else self.lag

    class Faults:
        active: dict[str, object] = {}

    cluster, faults, impacts = Cluster(), Faults(), Faults()
    World.clusters = {"orders": cluster}
    foresee = Foresight(World(), faults, impacts)  # type: ignore[arg-type]
    assert foresee(5.0) == float("inf")
    cluster.lag = 60.0
    assert foresee(5.0) == 5.0
    cluster.lag = 0.5
    faults.active = {"1": object()}
    assert foresee(5.0) == 5.0


def test_no_score_of_a_shipped_day_is_moved() -> None:
    """Every KPI that varies, and what was lost, offered and alerted, over days of either kind that have no randomness in common."""
    short = read_scenario(SHIPPED, ["duration=15m"])
    found: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    for quiet, rows in found.items():
        for number in range(14):
            recording = sim.run(short, 7, 2 * number + quiet, quiet=quiet)
            scores = replication_scores(score(recording, short), recording, short, number)
            row = {result.kpi: -1.0 if result.value is None else result.value for result in scores.results}
            row["lost"] = scores.lost_requests
            row["offered"] = float(sum(sum(series.values) for series in recording.series.find("requests.offered")))
            row["alerts"] = float(sum(event.kind == "alert.firing" for event in recording.timeline))
            assert row["data.invariants"] == 1.0
            rows.append(row)
    chances = []
    for name in found[True][0]:
        shown, played = (np.array([row[name] for row in found[quiet]]) for quiet in (True, False))
        if len({*shown.tolist(), *played.tolist()}) > 1:
            chances.append(stats.ks_2samp(shown, played, method="asymp").pvalue)
    assert len(chances) >= 5
    assert min(holm(chances)) > 0.01, chances
