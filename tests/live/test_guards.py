"""Guards: silence, death, an error budget, a critical class that stays down, and the lever stop a day; its planned end does not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from fake_lab import write_scenario

from experiments.clock import RunClock
from experiments.safety.guards import Watch
from experiments.safety.lever import Lever
from gameday.load_stream import Counts, LoadStream, line_of
from gameday.scenario import read_scenario
from gameday.target import Guards


class StoppedClock(RunClock):
    """A clock that the test sets."""

    __slots__ = ("t",)
    t: float

    def now(self) -> float:
        return self.t


def watch(folder: Path, t: float, *, good: int = 10, lost: int = 0, until: int | None = None, **limits: object) -> Watch:
    clock = StoppedClock(0.0, 0.0)
    object.__setattr__(clock, "t", t)
    scenario = read_scenario(write_scenario(folder, duration="60s"))
    with (folder / "load-1.jsonl").open("w") as file:
        for second in range(1, (int(t) if until is None else until) + 1):
            file.write(line_of(second, {("checkout", "home"): Counts(good + lost, good, lost=Counter({"error": lost}))}))
    guards = Guards.model_validate({"silent": "5s", "for": "10s", "good_below": 0.5, **limits})
    return Watch(scenario, guards, clock, LoadStream(folder), Lever(folder / "state"))


def test_a_day_that_goes_well_goes_on(tmp_path: Path) -> None:
    assert watch(tmp_path, 30.0).breach() is None


def test_a_source_that_falls_silent_is_a_breach(tmp_path: Path) -> None:
    assert "no data of the load" in str(watch(tmp_path, 30.0, until=20).breach())


def test_a_source_that_never_spoke_is_one_too_but_has_time_to_start(tmp_path: Path) -> None:
    assert watch(tmp_path, 10.0, until=0).breach() is None
    assert "no data of the load" in str(watch(tmp_path, 30.0, until=0).breach())


def test_a_spent_error_budget_is_a_breach(tmp_path: Path) -> None:
    assert watch(tmp_path, 30.0, lost=1, lost_requests=100).breach() is None
    assert "the budget is 20" in str(watch(tmp_path, 30.0, lost=1, lost_requests=20).breach())


def test_a_critical_class_may_be_down_for_a_while_and_no_longer(tmp_path: Path) -> None:
    found = watch(tmp_path, 20.0, good=1, lost=9)
    assert found.breach() is None
    object.__setattr__(found.clock, "t", 24.0)
    assert found.breach() is None
    with (tmp_path / "load-1.jsonl").open("a") as file:
        for second in range(21, 32):
            file.write(line_of(second, {("checkout", "home"): Counts(10, 1, lost=Counter({"error": 9}))}))
    object.__setattr__(found.clock, "t", 31.0)
    assert "of checkout were answered well" in str(found.breach())


@pytest.mark.parametrize(("t", "stopped"), [(30.0, True), (61.0, False)])
def test_a_helper_may_end_when_the_day_does_and_not_before(tmp_path: Path, t: float, stopped: bool) -> None:
    found = watch(tmp_path, t)
    found.observers_alive = lambda: False
    assert (found.breach() is not None) is stopped


def test_the_lever_stops_a_day_and_a_lever_that_cannot_be_read_does_too(tmp_path: Path) -> None:
    found = watch(tmp_path, 30.0)
    found.lever.engage("smoke")
    assert "smoke" in str(found.breach())
    found.lever.release("it was toast")
    assert found.breach() is None
    found.lever.file.write_text("not JSON")
    assert "cannot be read" in str(found.breach())
